"""The stock router's inexact ways to look for keywords: edit distance, character n-grams, and BM25."""
