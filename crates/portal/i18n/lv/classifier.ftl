classifiers-title = Klasifikatori
classifiers-lead = Kodu saraksti, ko datu kopas lieto vienādi. Katru uztur viena iestāde; katra saraksta maiņa ir jauna versija.
classifiers-none = Te būs klasifikatori. Pirmo reģistrē operators.
classifier-word = Klasifikators
classifier-id = Saraksta kods
classifier-keeper = Uztur
classifier-in-force = Spēkā esošā versija
classifier-codes-of = Kodi, { $number }. versija
classifier-count = { $n ->
    [zero] { $shown } kodu
    [one] { $shown } kods
   *[other] { $shown } kodi
 }
classifier-code = Kods
classifier-name = Nosaukums
classifier-parent = Virskods
classifier-previous = Iepriekšējā lapa
classifier-codes = Kodu skaits
classifier-changes = Kas mainās pret iepriekšējo versiju
classifier-versions = Versijas
classifier-now = spēkā
classifier-empty = Te būs kodi. Uzturētājs vēl nav publicējis nevienu versiju, tāpēc datu kopās pieņem jebkuru tekstu.
classifier-uses = Kur to lieto
classifier-unused = Neviena datu kopa šo sarakstu nelieto.
classifier-same = Kodi ir tie paši; mainījusies tikai to secība.
classifier-added = { $n ->
    [zero] Pievienoti { $shown } kodu
    [one] Pievienots { $shown } kods
   *[other] Pievienoti { $shown } kodi
 }
classifier-removed = { $n ->
    [zero] Izņemti { $shown } kodu
    [one] Izņemts { $shown } kods
   *[other] Izņemti { $shown } kodi
 }
classifier-renamed = { $n ->
    [zero] Pārdēvēti { $shown } kodu
    [one] Pārdēvēts { $shown } kods
   *[other] Pārdēvēti { $shown } kodi
 }
classifier-changed = { $n ->
    [zero] { $shown } kodiem mainās virskods vai derīgums
    [one] { $shown } kodam mainās virskods vai derīgums
   *[other] { $shown } kodiem mainās virskods vai derīgums
 }
classifier-more = un vēl { $shown }
classifier-publish = Publicēt jaunu versiju
classifier-publish-lead = Jaunā versija stājas iepriekšējās vietā. Pirms publicēšanas redzēsiet, kas mainās un kuras datu kopas tas skar.
classifier-values = Visi kodi (CSV)
classifier-values-hint = Pirmā rinda nosauc slejas: code;name;name_en;parent;valid_from;valid_to. Obligātas ir code un name; datumi rakstāmi kā 2026-07-01. Beigušos kodus atstājiet, norādot valid_to. Lielāku sarakstu par 4 MB sūtiet caur saskarni.
classifier-from-hint = Pirmā diena, piemēram, 01.07.2026. Tukšs: no šodienas.
classifier-why = Kas mainījies un kāpēc
classifier-why-hint = Piemēram: grozījumi noteikumos. To redzēs visi.
classifier-check = Pārbaudīt
classifier-check-lead = Vēl nekas nav publicēts. Izlasiet un apstipriniet.
classifier-what-happens = Kopš pirmās dienas jauniem nodevumiem der tikai šīs versijas kodi. Jau pieņemtie dati paliek.
classifier-publish-do = Publicēt
classifier-edit = Labot
classifier-changed-meanwhile = Kāds cits tikmēr šo klasifikatoru mainīja. Pārbaudiet vēlreiz, kas mainās.
classifier-why-missing = Ierakstiet, kas mainījies un kāpēc.
classifier-line = { $line }. rinda, kods „{ $code }”: { $what }
classifier-line-only = { $line }. rinda: { $what }
classifier-more-faults = { $n ->
    [zero] Un vēl { $shown } kļūdu.
    [one] Un vēl { $shown } kļūda.
   *[other] Un vēl { $shown } kļūdas.
 }
classifier-fault-duplicate = šis kods ir jau augstāk.
classifier-fault-unknown = virskoda šajā versijā nav.
classifier-fault-cycle = virskodi ved riņķī.
classifier-fault-unchanged = Kodi ir tie paši, kas iepriekšējā versijā.
classifier-fault-required = trūkst koda vai nosaukuma.
classifier-fault-too-long = teksts ir par garu.
classifier-fault-characters = liekas atstarpes vai nederīgas rakstzīmes.
classifier-fault-range = beigu diena ir pirms sākuma, vai versija sākas pirms iepriekšējās.
classifier-fault-type = datums jāraksta kā 2026-07-01.
classifier-fault-ragged = rindā ir cits sleju skaits nekā pirmajā rindā.
classifier-fault-column-unknown = Slejas drīkst saukt tikai code, name, name_en, parent, valid_from, valid_to.
classifier-fault-quote = pēdiņas nav aizvērtas vai stāv nevietā.
classifier-fault-count = Versijā jābūt no 1 līdz 50 000 kodu.
done-classifier-published = Jaunā versija ir publicēta.
definition-remarks = Ko vēl ievērot
remark-classifier-unknown = Lauks { $field }: klasifikators { $list } nav reģistrēts, tāpēc der jebkurš teksts. To reģistrē operators; kodus publicē uzturētājs.
remark-classifier-empty = Lauks { $field }: klasifikatoram { $list } nav spēkā nevienas versijas, tāpēc der jebkurš teksts, līdz uzturētājs to publicē.
