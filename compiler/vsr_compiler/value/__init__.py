"""What a policy is worth: its choices on tables of prompts, models, scores and costs, against other ways to choose."""
