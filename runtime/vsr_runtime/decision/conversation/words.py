"""Words without a subject of their own. A turn that has no others continues the conversation and is no new ask.

They are function words, words of agreement and refusal, and words about an answer (its length, form, parts and
correctness) and about work in progress. Lists are short on purpose: a turn in an unlisted language is recognised by its
length, by its overlap with the text before, and by the classifier.
"""

from __future__ import annotations

import unicodedata


def _words(*texts: str) -> frozenset[str]:
    return frozenset(unicodedata.normalize("NFKC", " ".join(texts)).lower().split())


def _longest_first(text: str) -> tuple[str, ...]:
    return tuple(sorted(_words(text), key=lambda word: (-len(word), word)))


_ENGLISH = """
a about above actually again ah all alright also although always an and another answer answers any anything apart are
aren't around as ask at away back bad be because been before being below best better bit both brief briefer briefly but
by call can can't cannot care carefully carry case cases change changed changes check clarify clear clearer clearly
close code come comment comments commit complete completely concise concrete confirm continue convert cool correct
correctly could couldn't course deal deep deeper definitely deploy detail detailed details did didn't difference
different differently do does doesn't doing done don't double down each earlier easier edit either elaborate else end
enough error errors even ever every everything exactly example examples execute expand explain explained explanation
extend fail failed fails fair far fast few file files final finally find fine finish finished first fix fixed follow
following for form format former forward found from full fully further general get give given gives go goes going good
got great had happened happy has have haven't having he hello help her here hey hi him his hmm hold how however i i'd
i'll i'm i've idea if improve in include including incorrect indeed instead into is isn't issue it it's its just keep
kind know last later latter leave left less let let's like likes line lines list listed little long longer look looked
looks lot made main make makes making many markdown maybe me mean means meant message method might mind mine mistake
more most move much must my myself name need needs never new next nice no nope not note nothing now number numbered of
off oh ok okay okey old on once one ones only onto open option options or order original other others otherwise ought
our out over own paragraph paragraphs part parts pause per perfect perhaps please plus point points possible prefer
previous problem proceed push put question questions quick quickly quite ran rather re read ready really reason reasoning
recap redo refine reformat regarding regenerate remaining remove repeat rephrase replace reply response rest restart
result results resume retry revert revise rewrite reword right roll run running same save saw say says second
section see seem seems send sense sentence sentences separate several shall she short shorten shorter should shouldn't
show shows similar simple simpler simplify simply since single skip small so solution some somebody something sorry
sort sound sounds source sources specific start started step steps still stop stopped such suggest suggestion
suggestions sum summarise summarize summary super sure table tables take takes tell ten test tests text than thank
thanks that that's the their them then there there's these they thing things think third this those though thought
three through time times title to together too top translate translation tried true try trying turn two under
understand understood undo unclear unsure until up update us use used useful using version very wait want wanted wants
was wasn't way ways we well went were weren't what what's whatever when where whether which while who whole why will
wish with within without won't word words work worked working works worse would wouldn't wrap write writing wrong
wrote x y yeah yep yes yet you you'd you'll you're you've your yours yup
four five six seven eight nine fourth fifth zero hundred
eli5 tldr tl dr lgtm btw fyi nvm asap thx ty pls plz kk np idk imo wdym bullet bullets bulleted outline json yaml csv
html plain prose verbose terse emoji emojis tone formal informal casual friendly professional polite wording
english german french spanish italian portuguese dutch polish czech russian ukrainian turkish greek arabic hebrew hindi
chinese japanese korean vietnamese thai swedish danish norwegian finnish hungarian romanian indonesian
approve approved accept accepted agree agreed allow reject decline cancel confirm confirmed absolutely certainly
exact awesome excellent brilliant wonderful amazing fantastic interesting wow bravo merge ship lint build compile
apply applied patch diff rename branch review ahead term terms plan intro introduction conclusion column columns row
rows heading headings chart diagram whatever
"""
_GERMAN = """
aber alle alles als also am an andere anderen anders antwort auch auf aus bei beide beispiel beispiele beim besser bin
bis bist bitte bloß da dabei dafür dagegen danach danke dann das dass davon dazu dein deine dem den denn der des
deutlicher dich die dies diese diesem diesen dieser dieses dir doch dort du durch ein eine einem einen einer eines
einfach einfacher einmal einverstanden englisch erkläre erkläre's erklär erklären erneut erste ersten erster es etwas
falsch fang fasse fehler fehlt fertig für ganz geh gehe geht genau genauer genug gern gerne gib gibt gut habe haben hat
hast hier hin ich ihm ihn ihr ihre im in ins ist ja jetzt kann kannst kein keine klar klingt kurz kurzer kürzer lass
lasse lang länger lass letzte letzten liste mach mache machen macht mal man mehr mein meine meinst meinte mich mir mit
nächste nächsten nach nein nicht nichts nimm noch nochmal nun nur ob oder ohne ok okay option passt prima probier
probiere punkt punkte richtig satz sätze sätzen schau schon schreib schreibe sehr sei sein seine seite sich sicher sie
sieht sind so soll sollen sollte sondern sonst stimmt stop stopp super tabelle teil text tu tun über um und uns unter
verstanden verstehe versuch versuche vielen viel von vor vorschlag wann war warte warum was weiter weitere weiteren
weitermachen welche welcher wenn wer werden wie wieder wieso wird wirklich wo wofür woher wohl worte würde würdest zeig
zeige zu zum zur zusammen zusammenfassen zusammenfassung zweite zweiten zweiter ach hallo hm stimmt's übersetze
ausführlicher knapper deutsch stichpunkte stichpunkten als
"""
_SPANISH = """
a acepto adelante además ahora al algo alguna alguno algún amplía anterior aquí así bien breve bueno cada claro como con
continua continúa continuar correcto corto corta cosa cuál cuando cuánto cómo dame de del demás desde detalle detalles
después di diferente dime donde dos dónde e ejemplo ejemplos el ella ellos en entiendo entonces era eres error es esa
ese eso esos español esta estaba estas este esto estos está están exacto explica explícame explícalo falta favor frase
frases genial gracias ha había hace hacer haz hazlo hola igual inglés inténtalo intenta la las le les lista listo lo
los luego línea líneas más mal mejor menos me mi mis misma mismo mucho muy nada ni no nos o otra otras otro otros
palabras para parte pasos pero perfecto poco por porque primer primera primero pues puedes puede punto puntos que
quiero quieres qué repite respuesta resto resume resumen revisa se segunda segundo seguir segura seguro sería si sigue
siguiente simple sin sobre solo sólo son su sus sí tabla también te tercera tercero texto tiene todas todo todos
traduce traducción tu tus tú último última un una uno unos usa vale vamos versión ves vez y ya yo
"""
_FRENCH = """
à ai alors anglais après as au aucun aussi autre autres aux avant avec avez bien bon bonjour bref c ça car ce ceci cela
ces cet cette chaque ci clair combien comme comment compris comprends continue continuer continuez correct court courte
d d'accord dans de depuis dernier dernière des détail détaille détails deux deuxième différent dis dit donc donne donner
du elle elles en encore ensuite entre erreur es est et étape étapes étais était être eu exact exactement exemple exemples
explique expliquer expliquez fais fait faire faites faux fin finis fois français il ils j j'ai je juste l la là le les
leur liste long longue lui m ma mais même merci mes mettre mets mieux moi moins mon mot mots n ne nom non nos notre nous
on ont ou où oui par parfait part partie pas peu peut peux phrase phrases plus point points pour pourquoi précédent
premier première prochain puis qu quand que quel quelle quelles quelque quels qui quoi raccourcis recommence refais
regarde reprends répète réponse reste résume résumé s sa sans se second seconde ses si simple simplement simplifie
soit son sont suis suite suivant sur sûr t ta tableau te tes texte toi ton tous tout toute toutes traduis traduction très
trois troisième tu un une utilise va vas vas-y version vérifie voilà vos votre voudrais vous vrai vraiment y
"""
_PORTUGUESE = """
a agora ainda algo alguma algum além ao aos após aquela aquele aquilo as assim até bem bom boa breve cada certo claro
coisa com como continua continuar continue correto curto curta da dar das de depois detalhe detalhes deu diferente diga
do dois dos duas e ela ele eles em então entendi erro era essa esse esta estas este estou está exato exemplo exemplos
explica explicar explique faz faça fazer feito foi frase frases gostei há inglês isso isto já lista linha linhas legal
mais mas me melhor menos mesma mesmo meu minha muito muita na não nas nem no nos nossa nosso nova novo num numa o obrigada
obrigado ok olá onde os ou outra outras outro outros palavras para parte passo passos pela pelo perfeito pode podes por
porque português porquê pouco prossiga próximo próxima primeira primeiro qual quando que quem quero quê refaça repita
resposta resto resuma resumo revise se segue seguinte segunda segundo segunda-feira sem ser seu sim simples só sobre sua
são tabela também tem tenta tente teu texto toda todo todos traduza tradução três tua tudo um uma último última usa use
vai vamos verifica versão vez você à às é
"""
_ITALIAN = """
a adesso ai al alla alle altra altri altro anche ancora avanti bene breve brevi c'è che chi chiaro ci ciao ciò come con
continua continuare corretto corto così cosa cosa? d'accord d'accordo da dal dammi dai del della delle dello dei dettagli
dettaglio devi di differente dimmi dopo dove due e ecco ed era errore esatto esempi esempio essere fa fai fallo fare
fatto frase frasi giusto gli grazie ha hai ho i il in inglese invece io italiano la le lei lista lo loro lui lungo ma
me meglio meno mi mia mio modo molto ne nel nella niente no noi non nostro nulla nuova nuovo o ogni ok oppure ora
ottimo parole parte passo passi per perché perfetto però per favore favore più piu poi possiamo precedente prego prima
primo procedi prossima prossimo prova punti punto può puoi qual quale quando quanto quella quello questa queste questi
questo qui quindi resto riassumi riassunto riga righe ripeti riprova riscrivi rispetto risposta sbagliato se seconda
secondo sei semplice sempre senza si sì siamo sicuro solo sono sopra spiega spiegami spiegare stai stata stato stessa
stesso su sua sul sulla suo tabella te terzo testo ti traduci tre tu tua tuo tutta tutte tutti tutto ultima ultimo un
una uno usa va vai vale vorrei voglio vuoi versione
"""
_DUTCH = """
aan af al alle alles als anders antwoord ben beter bij begrijp bedoel bedankt dan dank dat de deel deze die dit doe doen
door dus duidelijk duits een eens eerste eigenlijk en engels er fout ga gaan gaat geef geen goed graag hebben hebt heeft
heel heb het hier hij hoe hoi hou iets ik in is ja je jij jou jouw juist kan kort korter kun laat laatste lang langer
leg lijst maak maar maken me meer mij mijn minder moet moeten na naar nee nederlands niet niets nog nu of ok om ons ook
op opnieuw over perfect precies probeer punt punten rest samenvatten samenvatting snap stap stappen stop stuk tabel te
tekst ten toch toe top tot tweede twee uit uitleg uitleggen van vat vertaal verder volgende voor voorbeeld voorbeelden
waar waarom wacht wat weer wel welke werkt wie wij wil woorden zeg zeker zin zinnen zo zonder zou zijn
"""
_POLISH_CZECH = """
a aby ale albo bardziej bardzo bez bo by być był była było błąd chcę chodzi ci ciebie co coś czego czy czyli czemu dalej
dlaczego dla do dobra dobrze dodaj dokładnie dokładniej dzięki dziękuję gdy gdzie go i ich ile im inaczej inna inne inny
innych innymi ja jak jaka jaki jakie jako je jednym jedno jeden jego jej jest jeszcze jeśli już każdy kiedy kontynuuj
kolejny który która które krócej krótko krótszy lepiej lista listę masz mam mi mnie mogę możesz mój mną może na nad nam
napisz następny następna nas nic nie niego niej niż no nowy o od odpowiedź ok on ona oni ono oraz ostatni pan pani po
podaj pokaż pod polsku popraw powtórz proszę prosto przed przez przetłumacz przy przykład przykłady prostszy punkt punkty
razie reszta reszty rozumiem rozwiń się skróć są słowami spróbuj sprawdź spoko streść super swój szczegóły ta tabela tabeli
tabelę tak także tam te tego tej tekst ten też to tobie trochę trzeci tu tutaj twój ty tych tyle tylko tym u w wersja wiem
więc więcej wszystko wszystkie wyjaśnij wytłumacz za zamiast ze zdanie zdaniu zgoda znaczy znowu zrobić zrób źle że żeby
ano asi až být byl chci děkuji další dále díky dobře dva ještě jen jo já jsem jsi jste kde kdo kratší které který mě
méně má máš můžeš nebo nějaký není něco odpověď oprav pak podrobněji pokračuj pokračujte pokud pro proč prosím první
příklad příklady přesně případ rozumím se si shrň shrnutí stejně stručně stručněji špatně správně tabulka tabulky takže
toho tohle tomu ukaž už vysvětli více víc věta věty ve vše všechno zkrať zkus znovu česky anglicky
"""
_NORDIC = """
alla allt andra att av bara behöver bra börja de del den denna det detta dig din ditt du då där eller en engelska enkelt
ett exempel fel fixa fler fortsätt förklara förstår första för gick ge gör göra ha har hej här hur i igen inte ja jag jo
kan kom kort kortare korta lista lite längre med mening men mer mig min mindre nej nej något nu när nästa och ok också om
på punkt rätt samma se sen ska skriv som svar svenska så tabell tack text till tredje två ut vad varför var vem vi vidare
vilken vill än är översätt annen andre at bare da deg dem deres dette eksempel eksempler er et etter feil fint flere
fortsett forklar forstår fra før første gi gjør god godt hei her hva hvem hver hvis hvor hvorfor hvordan igjen ikke jeg
korte kortere liste litt meg mener mer mine nei neste noe norsk nå også oppsummer over oversett på punkter ser setning
setninger sikker siste skal svaret takk til tabell tredje utdyp var vær vil dansk bedre derfor dig din du eksemplet eller
fejl forklare fortsæt gør hvad ja jo kan kort lidt længere mere mig mindre nej næste noget også om rigtigt sætning tak tilbage
ei en entä että hyvä hyvin jatka jos jotain joo kerro kiitos kuin kun kyllä lisää lue lyhyemmin lyhyesti mikä miksi miten
mitä mutta myös ne niin no nyt ok on onko pidempi saako se selitä sen seuraava siis sitä suomeksi sinä taas tai taulukko
tee tiivistä toinen tuo tämä uudelleen vain vielä voisitko voitko väärin yhdessä virke virkkeessä ymmärrän esimerkki
"""
_EAST = """
а без более бы был была было быть в вам вас весь во вот все всё всего вторая второй второе вы где да дай давай далее дальше
два действуй для до добавь другие другой его ее её если еще ещё же за и из или им имел их исправь как какая какие какой
когда конечно короче кратко краткий который кто ли лучше меня мне много можешь можно мой моя мы на надо нам нас не неверно
него нее неё нет ни них но ну нужно о об объясни объясните один одним одном он она они оно от ответ отлично очень
ошибка первый первое первая перевод переведи перепиши по повтори подробнее под подожди пожалуйста пока понял поняла понятно
попробуй почему потом предложение предложении предложениях при пример примеры про продолжай продолжи продолжайте проверь
проще пункт пункты правильно русски с сам самое свой сделай сделать скажи сколько следующий следующее следующая слова словами
снова со сократи согласен список спасибо стоп супер так также такой там таблица таблицу таблице тебе тебя то тоже только
того тот точно третий ты три тут у уверен уже упрости хорошо хочу чего чем через что чтобы чуть шаг шаги эта эти это этого
этой этом этот я ясно ага английском
або але без більше будь був було в ви все всі від відповідь він вона вони вірно де детальніше для добре друге другий
дякую ласка ж за з зроби й ще і із інше інший їх його його коротко коротше котрий ми мені на не неправильно ні ну один
перше перший переклади перероби перевір поясни по приклад приклади продовжуй продовжити продовжи про речення речень
спробуй список стисло так також там таблиця таблицю тебе ти то той точно третій тут у уточни чи чому що щоб це цей цього
цьому як яка який якщо українською
"""
_SOUTH = """
ama anladım anlamadım açıkla ayrıntı ayrıntılı az bana başka ben benim bir biraz bu bunu bunun cevap cümle cümlede
cümleyle çok çevir da daha de değil demek devam diğer doğru emin et eder evet gibi göster hangi hata hayır hepsi her için
ikinci ile ilk ingilizce istiyorum iyi kadar kısa kısaca kısalt kısaltır ki kim lütfen liste mi mı misin mısın mu musun
mü müsün nasıl ne neden nedir niye nokta o ok olarak oldu olsun olur on ona onu örnek örnekler özetle özet peki sadece
sağol son sonraki sonra söyle şey şimdi şu tablo tamam tekrar teşekkürler türkçe tüm üçüncü var ve veya ver yap yaz yanlış
yeniden yok ya yine
akkor aki amely az azt azonban bár csak de egy egyszerűen egyszerűbben el elmagyaráznád én ez ezt példa példát folytasd
fordítsd ha hát helyes hibás hogy hogyan igen is itt jó kérlek köszönöm kérem következő lista magyarázd magyarul még meg
második mert mi miért miről mit mondat mondatban most nem nekem nincs oké összefoglal összefoglalva pontosan részletesebben
rendben rossz röviden rövidebben szerint szöveg táblázat táblázatban több tovább újra utolsó vagy válasz van
acum ai al am ar arată așa asta bine ca că care ce cel cea continuă corect cu cum cât da dacă dar de decât deci despre
detalii detaliat din doar doilea două după e ea el engleză este eu exemplu exemple explică fă fi foarte frază fraze greșit
gata încă încearcă în într la listă mai mult mulțumesc nu o ok pe pentru prima primul poți propoziție răspuns repetă rest
rezumă sau se scurt scurtă scurtează sunt să și tabel te text toate tot tradu traducere treilea tu un una următorul vă
verifică vreau
ακόμα αλλά αλλο απάντηση από απλά αυτά αυτή αυτό αυτός γιατί για δεν διόρθωσε δε δείξε δεύτερο δεύτερη ευχαριστώ εξήγησε
ένα ή είναι έχει εντάξει επόμενο η θα θέλω και καλά κάνε κάτι κι λάθος λίγο λίστα με μετάφρασε μια μία μου μπορείς ναι να
ξανά ο οι ok όμως όχι παράδειγμα παραδείγματα παρακαλώ πες περισσότερα πιο ποιο πρόταση πρώτο που πώς σε σου σύντομα συνέχισε
συντόμευσε σωστά στη στην στο στον τα την της τι το τον του τους τρίτο τώρα σίγουρα πίνακα πίνακας ως
"""
_ASIA_SPACED = """
ada adalah aku anda apa atau bagaimana baik baiklah bahasa bisa buat contoh coba dalam dan dari daftar dengan detail di
diperpendek hal hanya harus ini itu indonesia inggris jadi jangan jelaskan juga kalau kalimat kamu karena kata ke kedua
kenapa kembali kurang lagi lain lanjut lanjutkan lebih maksud maksudnya mana mau mengapa mohon nya ok oke pada perbaiki
pertama poin ringkas ringkasan salah sama satu saya sebagai sebuah selanjutnya semua seperti setuju siap silakan singkat
singkatkan sudah supaya tabel tadi tapi terima kasih terjemahkan tidak tolong tulis ulang ulangi untuk ya yang
anh bạn bảng bằng câu chi tiết cho chưa có còn cái các cảm ơn của cũng dài danh sách dịch dễ dừng đã đang đây được để đi
điểm điều đó đoạn đúng em gì giải thích giúp hai hãy hiểu hoặc hơn không kỹ là làm lại lần mà mình một nào này nên nếu
ngắn ngắn gọn nhưng như những nó nữa ok phần rõ ràng rồi sai sang sao sau sẽ tại tên thêm thì thế thứ tiếp tục tiếp theo
tiếng việt tóm tắt tôi tốt trả lời trên trong từ tương tự và vậy về ví dụ viết vâng với vì xem xin lỗi xong
और एक और का की के को कर करो करें कृपया क्या क्यों कैसे कम छोटा छोटे जारी जवाब जी जो ठीक तक तालिका तो थोड़ा दूसरा दो दें
धन्यवाद नहीं ना ने पर पहला फिर बताओ बताएं बताइए बस बहुत भी मुझे में मैं यह यही या ये रखें रखो लिए लिखो वह वाक्य वाक्यों
विस्तार वे समझ समझाओ समझाएं सही सूची से संक्षेप हाँ हां हिंदी ही हूँ है हैं होता हो उदाहरण अगला आगे अब अंग्रेज़ी गलत
آخر آخرى أخرى أعد أعطني أكثر أكمل ألا إلى أن أنا أنت أو أوضح إنه اختصر استمر اشرح اعد اعطني الآن الأخير الأول الاول التالي
التفصيل الثالث الثاني الجدول الرجاء الرد السابق الى المزيد النقطة الذي التي اللغة بالتفصيل باختصار بشكل بعد تابع ترجم تفاصيل
تفضل تمام ثم جدول جدا جملة جمل جيد حسنا حسناً خطأ ذلك رائع شكرا شكراً صحيح صح عن على غير فقط في فهمت قائمة كذلك كل كما كيف
لا لخص لم لماذا لو لي ليس ما ماذا متأكد مثال أمثلة مثل مختصر مرة مع من موافق نعم نفس هذا هذه هكذا هل هنا هو هي واحدة و
واحد وضح واصل يا يعني يمكن يمكنك العربية
آره اگر ادامه این با باز باشه بده برای بله بنویس به بهتر بعدی بگو بیشتر تا توضیح ترجمه جدول جمله چرا چه چی چطور خب خلاصه
خوب خیر در درست دوباره دوم را رو زیاد ساده سپس فارسی فقط کن کنید کوتاه کوتاه‌تر که لطفا لطفاً مثال ممنون من مرسی نه نمی هم
همان همین و یا یک
אבל או אז אחד אחת אחר אחרון אין איך אל אם אני את אתה בבקשה בטבלה בסדר בקיצור בשביל גם דוגמה דוגמאות דבר הבא הבנתי הבנת
האם הוא היא הזה הזאת המשך הסבר הראשון השני זה זאת זהו חזור טבלה טוב יותר יש כי כל כן כמו כתוב לא למה לי לך מאוד מה מצוין
מי מעולה משפט נכון נסה נקודה סבבה סיכום סכם עברית עוד על עם פחות פירוט פרט קצר קצת רגע רק רשימה שאר של שם שגיאה שוב תודה
תכתוב תן תסביר תקצר תרגם תשובה תמשיך
"""

FUNCTION_WORDS: frozenset[str] = _words(
    _ENGLISH,
    _GERMAN,
    _SPANISH,
    _FRENCH,
    _PORTUGUESE,
    _ITALIAN,
    _DUTCH,
    _POLISH_CZECH,
    _NORDIC,
    _EAST,
    _SOUTH,
    _ASIA_SPACED,
)
"""In lower case."""

REFERENCES: frozenset[str] = _words(
    """
    it its that this these those them they one ones above below former latter previous earlier same aforementioned
    dies diesem diesen dieser dieses ihn dort oben selbe gleiche
    eso esto ese esa ésa ése anterior misma mismo
    ça cela ceci celui celle précédent précédente même
    isso isto esse essa anterior mesma mesmo
    questo questa quello quella precedente stesso stessa
    dat dit deze vorige zelfde
    tego tej tym tamten poprzedni poprzednia tohle toho předchozí
    detta denna dette denne samma samme förra forrige tämä tämän tuo
    это этот эта эти этого этом предыдущий предыдущее це цей ця цього попередній
    bu bunu şu şunu önceki aynı ez ezt az azt előző asta aceasta acest anterior αυτό αυτή αυτός προηγούμενο
    ini itu tersebut tadi này đó kia यह इस उस هذا هذه ذلك تلك السابق این آن قبلی זה זאת הזה הקודם
    """
)
"""Words that refer to something before."""

HINTS: frozenset[str] = _words(
    """
    first second third last next other another middle our we your suggested instead again rest option version approach
    deine deinen dein andere anderen zweite dritte letzte letzten nochmal deuxième troisième dernier dernière autre ta ton
    segundo tercero último otra otro tu seu sua outra outro último secondo terzo ultimo altra altro tua tuo
    tweede derde laatste ander jouw drugi trzeci ostatni inny andra tredje sista ditt другой второй последний твой
    """
)
"""Words that may refer to something before."""

REVISIONS: frozenset[str] = _words(
    """
    translate rewrite rephrase reword summarise summarize shorten expand extend convert format reformat simplify
    elaborate clarify explain repeat redo retry fix correct improve refine revise add remove replace change make put
    show give turn include drop use keep try write sort list number compare
    übersetze schreib schreibe erkläre erklär fasse kürze formuliere wiederhole korrigiere ergänze mach gib zeig nutze
    traduce reescribe resume explica amplía corrige haz dame muestra añade quita
    traduis réécris résume explique corrige reformule développe fais donne montre ajoute enlève mets
    traduza reescreva resuma explique corrija faça mostre adicione traduci riscrivi riassumi spiega correggi aggiungi fai
    vertaal herschrijf leg vat maak geef przetłumacz przepisz streść wyjaśnij popraw dodaj zrób pokaż
    переведи перепиши сократи объясни исправь добавь покажи сделай переклади перепиши поясни виправ зроби
    översätt skriv förklara oversett forklar çevir yaz açıkla kısalt düzelt terjemahkan tulis jelaskan ringkas dịch viết
    """
)
"""Imperatives about an answer that was given."""

OPENERS: frozenset[str] = _words(
    """
    and but so then also ok okay yes no und aber oder dann pero entonces mas então alors donc mais allora oppure maar dus
    więc ale але або или но ну ve ama veya peki dan tapi atau và nhưng còn och men eller og så και αλλά אבל و لكن और लेकिन
    """
)
"""Words by which an elliptic turn begins: "and in winter?"."""

UNSPACED: tuple[str, ...] = _longest_first(
    """
    什么 什麼 怎么 怎麼 为什么 為什麼 如何 哪个 哪 谁 吗 嗎 呢 吧 啊 呀 的 了 是 在 我 你 您 他 她 它 我们 你们 这 這 那 这个
    這個 那个 那個 这些 那些 上面 下面 前面 后面 刚才 剛才 第一 第二 第三 第 一 二 三 四 五 个 點 点 种 項 项 条 次 句 句话 段
    再 又 还 還 也 都 就 才 只 很 更 最 太 不 没 沒 没有 不是 不对 對 对 好 好的 可以 行 嗯 哦 哈 请 請 谢谢 謝謝 继续 繼續 接着
    下一 下一个 下一步 一下 一点 一點 一些 多 少 短 长 長 简短 簡短 简单 簡單 详细 詳細 具体 清楚 明白 懂 说 說 讲 講 告诉
    解释 解釋 说明 說明 举例 举 例子 例 比如 表格 列表 列出 总结 總結 概括 翻译 翻譯 重写 重新 重试 改 修改 改成 换 換 用 给 給
    做 写 寫 看 试 試 想 要 能 会 會 应该 帮 幫 把 让 和 与 或 但 但是 而 所以 因为 如果 那么 然后 其他 其它 另外 另 别的 同样
    一样 答案 回答 意思 部分 内容 地方 问题 錯 错 错误 正确 确定 真 吗 中文 英文 英语 中 里 上 下 来 去 到 从 有 为 以 于 之
    これ それ あれ この その あの ここ そこ どこ どれ どの だれ なに 何 なぜ どうして どう いつ いくつ です ます でした ました ください
    下さい お願い 願い します しますか して する した しない ない ありがとう はい いいえ うん ええ 了解 続け 続けて 続き つづけて 次 次の
    もう もっと 少し 短く 長く 詳しく 簡単 簡潔 分かり わかり ません ました 例 表 一文 文 まとめ 要約 説明 教えて 言って 書いて 直して
    やって みて 同じ 別 他 残り 最初 最後 番目 二 三 つ 目 は が を に で と も の へ や か ね よ から まで など そう じゃ では でも しかし
    だから 正しい 間違い 間違って 本当 日本語 英語 翻訳 訳して 前 後 上 下 よう いい 良い
    ต่อ ทำต่อ ต่อไป ไป ครับ ค่ะ คะ นะ ใช่ ไม่ ได้ โอเค ขอบคุณ ทำไม อะไร อย่างไร ยังไง ที่ไหน เมื่อไหร่ ใคร นี้ นั้น มัน และ หรือ แต่
    อธิบาย ตัวอย่าง สั้น สั้นลง กว่า ละเอียด เพิ่ม เติม อีก ครั้ง อีกครั้ง ตาราง สรุป แปล เป็น ภาษา ไทย อังกฤษ ข้อ ที่ สอง หนึ่ง สาม
    ขอ ช่วย ลอง ใหม่ แก้ ถูก ผิด ดี แล้ว ก็ ให้ ใน ของ จาก ประโยค เดียว หน่อย เลย ทำ
    """
)
"""The same for languages that put no blanks between words, the longest first."""

KOREAN: tuple[str, ...] = _longest_first(
    """
    계속 네 예 아니 아니요 응 좋아 좋아요 알겠 그래 감사 고마워 왜 뭐 무엇 어떻게 어디 언제 누구 이것 그것 저것 이거 그거 이 그 저
    다시 더 좀 조금 짧게 길게 자세히 자세하게 간단히 간단하게 요약 설명 예시 예 표 표로 번역 영어 한국어 다음 첫 두 세 번째 하나 해줘
    해주세요 주세요 줘 부탁 맞아 틀렸 정확 같은 다른 나머지 문장 한 말 답 답변 이해 수정 고쳐 바꿔 써 보여 진행 그리고 하지만 그럼
    """
)
"""Stems that a word in Korean begins with."""
