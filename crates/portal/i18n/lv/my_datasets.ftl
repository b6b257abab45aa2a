nav-my-datasets = Mūsu dati
count-sets = { $n ->
    [zero] { $shown } datu kopu
    [one] { $shown } datu kopa
   *[other] { $shown } datu kopas
 }
sets-none = Te būs datu kopas, ko jūsu iestāde dod citiem: cik tās ir svaigas, kas ir aizturēts un kas tās lasa.
sets-none-how = Lai izveidotu pirmo, aprakstiet to dažās rindās: kā to sauc, kas ir atslēga un kādi ir lauki. Apraksts vispirms nonāk priekšlikumu vidē, kur to var izmēģināt.
sets-none-who = Pirmo izveido jūsu iestādes vadītājs vai datu pārzinis, tiklīdz iestāde ir datu devējs.
set-name = Datu kopa
set-state = Stāvoklis
set-fresh = Dati atjaunoti
set-records = Ieraksti
set-held = Aizturētie nodevumi
set-quarantined = Nav pieņemtas rindas
set-recipients = Datu ņēmēji
set-version = Apraksta versija
section-title-main = Pamata sadaļa
section-title-sandbox = Priekšlikumu vide
set-published = publicēta
set-tried = priekšlikumu vidē
set-in-catalogue = Kā to redz citi
set-to-publish = Priekšlikumu vidē ir jauns apraksts, kas vēl nav publicēts.
fresh-late = kavējas
fresh-kept = laikā
back-to-set = Atpakaļ uz datu kopu
back-to-sets = Atpakaļ uz mūsu datiem

definition-new = Jauna datu kopa
definition-title = Datu kopas apraksts
definition-edit = Labot aprakstu
definition-read = Skatīt aprakstu
definition-lead = Aprakstiet, kādi ir dati. Pārbaude parāda visas kļūdas uzreiz un to, ko izmaiņas nozīmētu datu ņēmējiem. Saglabātais nonāk priekšlikumu vidē; pamata sadaļā nekas nemainās, kamēr nepublicējat.
definition-who = Aprakstu maina iestādes vadītājs vai datu pārzinis.
definition-text = Apraksts
definition-hint = Katrs lauks savā rindā: nosaukums, veids, kols, nozīme. Ja mainīsiet aprakstu, priekšlikumu vidē nodotie izmēģinājuma ieraksti tiks dzēsti.
definition-save = Saglabāt priekšlikumu vidē
definition-check = Pārbaudīt
definition-whole = Kļūdu nav
definition-faults = { $n ->
    [zero] { $shown } kļūdu
    [one] { $shown } kļūda
   *[other] { $shown } kļūdas
 }
definition-faults-below = Kļūdas ir uzskaitītas zem teksta
definition-more-faults = { $n ->
    [zero] Vēl { $shown } kļūdu nav parādītas.
    [one] Vēl { $shown } kļūda nav parādīta.
   *[other] Vēl { $shown } kļūdas nav parādītas.
 }
line = { $line }. rinda
checking = Pārbauda…
check-failed = Pašlaik neizdodas pārbaudīt. Teksts ir jūsu lapā; nospiediet “Pārbaudīt” vēlreiz.
conflict-title = Kamēr rakstījāt, kāds cits saglabāja šo aprakstu
conflict-text = Jūsu teksts ir šeit, nekas nav zudis. Apskatiet, kas saglabāts, un salīdziniet. Ja saglabāsiet vēlreiz, paliks jūsu teksts.
conflict-look = Skatīt saglabāto aprakstu jaunā cilnē
language-title = Kā rakstīt aprakstu
language-lead = Apraksts ir teksts. Augšā pateikts, kas tā par datu kopu, zem tā ir lauki. Piemērs:
language-example = Apraksta piemērs
language-sample =
    name: suni
    key: Numurs
    subject: Ipasnieks
    data_description: Reģistrētie suņi
    classification: restricted
    freshness: 1d
    indexes: [Skirne]
    fields:
    {"  "}- Numurs : Čipa numurs
    {"  "}- Ipasnieks person_code : Īpašnieka personas kods
    {"  "}- Skirne : Šķirne
    {"  "}- Dzimis date : Dzimšanas diena
language-name = Īss nosaukums ar maziem burtiem. Vēlāk to nevar mainīt.
language-key = Lauks vai vairāki, pēc kuriem atšķir vienu ierakstu no cita.
language-subject = Lauks ar tās personas kodu, par kuru ir dati. Tad katru skatījumu cilvēks redz sadaļā “Mani dati”.
language-classification = open (atvērti), restricted (vajag atļauju) vai sensitive (sensitīvi).
language-freshness = Cik drīz pēc izmaiņas jūs solāt nodot datus, piemēram, 1h (stunda) vai 1d (diena).
language-indexes = Pēc kuriem laukiem var meklēt.
language-guard = Cik lielu daļu ierakstu viens nodevums drīkst izņemt, nepajautājot jums; ja neraksta, 10 %.
language-fields = Lauki: nosaukums, veids un nozīme aiz kola. Veidi: text (ja neraksta), int, decimal, bool, date, timestamp, person_code, org_code, code(SARAKSTS). Ar ! aiz veida (vai nosaukuma, ja veida nav) lauks ir obligāts.
language-more = Saskarnes apraksts, kas rodas no datu kopu aprakstiem

evolution-title = Salīdzinājumā ar publicēto
evolution-none = Šī datu kopa vēl nav publicēta, tāpēc izmaiņas nevienu neskar.
evolution-identical = nekas nemainās
evolution-compatible = saderīgas izmaiņas: datu ņēmēji var strādāt kā līdz šim
evolution-incompatible = nesaderīgas izmaiņas: tas, uz ko datu ņēmēji paļaujas, zustu
change-place = Kur
change-what = Kas mainās
change-safe = Vai droši
change-is-safe = droši
change-breaks = nesaderīgi
change-added = pievienots
change-added-required = pievienots kā obligāts, bet esošajos ierakstos šīs vērtības nav
change-added-before = pievienots pirms esošajiem laukiem; lieciet beigās
change-removed = izņemts
change-moved = pārvietots
change-required = kļūst obligāts, bet esošajos ierakstos vērtības var nebūt
change-optional = vairs nav obligāts
change-list = kļūst par sarakstu
change-no-list = vairs nav saraksts
change-description = mainīts apraksts
change-personal = mainīta personas datu zīme
change-on = ieslēgts
change-off = izslēgts: glabātās vērtības zustu
change-kind = mainīts starp lauku un lauku grupu
change-from = mainīts no { $from } uz { $to }
change-other = mainīts
change-read = nosacījums { $when } to lasa kā veselu skaitli, un decimāldaļa tam ir cita vērtība; atstājiet int un beigās pievienojiet decimal lauku
change-name-added = pievienots: { $name }
change-name-removed = izņemts: { $name }
change-name-condition = cits nosacījums: { $name }
change-name-anew = tiks veidots no jauna: { $name }
touches-none = Nevienas atļaujas tas neskar.
touches-title = { $n ->
    [zero] Skar { $shown } atļauju
    [one] Skar { $shown } atļauju
   *[other] Skar { $shown } atļaujas
 }
touches-permission = atļauja { $number }
unpublishable-title = Pirms publicēšanas jāizlabo

publish-title = Publicēt
publish-lead = Pārbaudiet, kas mainīsies. Pamata sadaļā pāriet apraksts; izmēģinājuma ieraksti tur nenonāk.
publish-do = Publicēt aprakstu
publish-and-empty = Publicēt un dzēst pašreizējos ierakstus
publish-empties = Apraksts nav saderīgs ar publicēto. Visi pamata sadaļas ieraksti tiks dzēsti, un dati būs jānodod no jauna.
publish-stopped = Tā publicēt nevar: uz pašreizējo aprakstu paļaujas spēkā esošas atļaujas
publish-stopped-how = Atgriezieties pie saderīgām izmaiņām, vai izveidojiet jaunu datu kopu, kas aizstāj šo, un tās aprakstā ierakstiet:
publish-nothing = Nav ko publicēt: priekšlikumu vidē nav jauna apraksta.
done-definition-saved = Apraksts ir saglabāts priekšlikumu vidē
done-dataset-published = Apraksts ir publicēts

package = Nodevums
package-title = Nodevums { $id }
package-state = Stāvoklis
package-mode = Veids
package-received = Saņemts
package-open = nāk iekšā
package-applied = pieņemts
package-held = aizturēts
package-rejected = atteikts
package-quarantine = Skatīt rindas, kas nav pieņemtas
mode-snapshot = viss kopums
mode-delta = izmaiņas
packages-title = Nodevumi
packages-main = Nodevumi pamata sadaļā
packages-sandbox = Nodevumi priekšlikumu vidē
packages-none = Te būs nodevumi: ko jūsu sistēma nodeva, cik ierakstu pieņemts un cik nav. Pirmo nodod jūsu iestādes sistēma ar datu devēja savienojumu.
packages-more = Agrāki nodevumi
back-to-package = Atpakaļ uz nodevumu
receipt-title = Kvīts
receipt-signed = To pašu saņēma jūsu sistēma. Platforma to ir parakstījusi.
receipt-received = Saņemtas rindas
receipt-accepted = Jauni vai mainīti
receipt-unchanged = Bez izmaiņām
receipt-deleted = Izņemti
receipt-duplicates = Atkārtojas
receipt-expired = Glabāšanas laiks beidzies
receipt-quarantined = Nav pieņemti

held-title = Aizturētie nodevumi
held-would-delete = { $n ->
    [zero] Gaida jūsu lēmumu: izņemtu { $shown } ierakstu.
    [one] Gaida jūsu lēmumu: izņemtu { $shown } ierakstu.
   *[other] Gaida jūsu lēmumu: izņemtu { $shown } ierakstus.
 }
held-lead = Nodevums ir aizturēts, jo tas izņemtu vairāk ierakstu, nekā apraksts ļauj bez jautāšanas. Pašlaik nekas nav mainīts.
held-records = Tagad datu kopā
held-delete = Tiktu izņemti
held-guard = Bez jautāšanas drīkst izņemt
held-outdated = Pēc tam ir pieņemts cits nodevums, tāpēc šo vairs nevar pieņemt. Atsakieties no tā un nododiet pašreizējo stāvokli vēlreiz.
held-who = Lemj jūsu iestādes vadītājs vai datu pārzinis.
held-confirm = Pieņemt…
held-reject = Atteikt nodevumu
held-confirm-title = Vai pieņemt aizturēto nodevumu?
held-confirm-lead = Ieraksti, kuru nodevumā nav, tiks izņemti uzreiz, un datu ņēmēji par to uzzinās. Atsaukt to nevar; izņemtos ierakstus var tikai nodot vēlreiz.
held-confirm-do = Pieņemt un izņemt: { $records }
held-reject-title = Vai atteikt aizturēto nodevumu?
held-reject-lead = Datu kopā nekas nemainīsies. Nodevuma saturu neglabāsim; ar šo pašu numuru var nodot citu.
done-package-confirmed = Nodevums ir pieņemts
done-package-rejected = Nodevums ir atteikts, datos nekas nav mainīts
problem-package-unknown = Šāda nodevuma nav. Ja to noraidīja jau saņemot, par to nekas nepaliek.
problem-package-not-held = Šis nodevums vairs nav aizturēts: kāds par to jau ir izlēmis.
problem-package-outdated = Pēc šī nodevuma ir pieņemts cits vai mainīts apraksts. Nododiet pašreizējo stāvokli vēlreiz.
problem-package-refused = Neviena rinda nebija derīga, tāpēc nekas nav mainīts. Izlabojiet un nododiet vēlreiz.
problem-definition-incompatible = Apraksts nav saderīgs ar publicēto, un uz to paļaujas spēkā esošas atļaujas. Izveidojiet jaunu datu kopu, kas aizstāj šo.

quarantine-title = Nav pieņemtas rindas
quarantine-lead = Rindas, kas neatbilst aprakstam. Pārējās no tā paša nodevuma ir pieņemtas. Vērtības te nerādām: atrodiet rindu savā sistēmā pēc numura, izlabojiet un nododiet vēlreiz.
quarantine-section = Sadaļa
quarantine-package = Nodevums
quarantine-line = Rinda
quarantine-field = Lauks
quarantine-rule = Noteikums
quarantine-reason = Iemesls
quarantine-none = Te būtu rindas, kas nav pieņemtas. Tādu nav.
quarantine-export = Lejupielādēt šo sarakstu (CSV)

recipients-title = Datu ņēmēji
recipients-sandbox = Šīs ir atļaujas priekšlikumu vidē.
recipients-none = Te būs iestādes, kam ir atļauja lasīt šo datu kopu. Pagaidām tādu nav.
recipients-who = Kas
recipients-why = Mērķis
recipients-what = Lauki
recipients-ways = Kā saņem
recipients-last = Pēdējoreiz lasīja
recipients-never = vēl nekad
recipients-more = { $n ->
    [zero] un vēl { $shown } lauku
    [one] un vēl { $shown } lauks
   *[other] un vēl { $shown } lauki
 }
reads-active = spēkā
reads-suspended = apturēta
reads-ended = atsaukta

rule-word-unknown = nezināms vārds
rule-word-missing = trūkst vārda
rule-word-repeated = vārds atkārtojas
rule-word-order = vārdu secība
rule-value-invalid = nederīga vērtība
rule-field-line = lauka rinda nav saprotama
rule-field-name = nederīgs lauka nosaukums
rule-field-unknown = nezināms lauks
rule-field-repeated = lauks atkārtojas
rule-fields = lauki
rule-type-unknown = nezināms veids
rule-type-conflict = veidi ir pretrunā
rule-type = nepareizs veids
rule-key = atslēga
rule-index = meklēšanas lauks
rule-subject = persona
rule-subject-missing = nav teikts, par kuru personu ir dati
rule-public = publiskais fails
rule-retention = glabāšanas laiks
rule-changes = izmaiņu saraksts
rule-csv = CSV
rule-replaces = aizstājamā datu kopa
rule-classification = pieejamība
rule-yaml = teksta uzbūve
rule-yaml-tag = teksta uzbūve
rule-indentation = atkāpes
rule-limit = pārāk daudz
rule-name-taken = nosaukums
rule-json = JSON uzbūve
rule-required = obligāts lauks ir tukšs
rule-duplicates = vairākas atšķirīgas rindas ar vienu atslēgu
rule-operation = nederīga darbība
rule-ragged = rindā ir cits kolonnu skaits
rule-quote = pēdiņas
rule-range = vērtība ārpus robežām
rule-person-code = nederīgs personas kods
rule-record-size = ieraksts ir par lielu
rule-unknown-field = nezināms lauks
rule-key-invalid = nederīga atslēga
rule-key-length = atslēga ir par garu
stop-title = Ārkārtas apturēšana
stop-lead = Datu kopu vairs nesaņems neviens ar atļauju, uzreiz. Apturēšanu var atcelt: tad atļaujas darbosies kā iepriekš.
stop-open = Šī datu kopa ir atvērta: atvērtos datus apturēšana neskar.
stop-running = Datu kopa ir apturēta
stop-count = Apturētas atļaujas
stop-reason = Kāpēc
stop-do = Apturēt datu kopu
stop-resume = Atcelt apturēšanu
stop-history = Iepriekšējās apturēšanas
stop-none = Šī datu kopa vēl nav bijusi apturēta.
stop-since = apturēta
stop-until = atcelta
done-stopped = Datu kopa apturēta.
done-resumed = Apturēšana atcelta.
templates-title = Sagataves pieteikumiem
templates-lead = Sagatave ir gatavs pieteikums vienam lietojumam: kam dati, pēc kāda likuma, kuri lauki. Pieteicējs to izvēlas, un vairāk par to prasīt nevar.
templates-none = Sagatavju vēl nav.
templates-retired = Vairs nelietotās
template-new = Jauna sagatave
template-edit = Sagatave
template-lead = Pieteicējs redz šo nosaukumu un aprakstu. Mērķi un likumu viņš nemaina; laukus, veidus, skaitu un termiņu drīkst tikai samazināt.
template-title = Nosaukums
template-title-hint = Piemēram, “Pabalsta piešķiršana pašvaldībā”.
template-use-case = Kam tā domāta
template-use-case-hint = Kas un kad šos datus lieto.
template-fixed-hint = Būs tieši tāds katrā pieteikumā.
template-fields = Lauki, ne vairāk par šiem
template-when = Nosacījums, kuri ieraksti
template-when-hint = CEL valodā, piemēram: record.Town == "Cēsis". Tukšs: pieteicējs izvēlas pats.
template-quota = Cik reižu, ne vairāk
template-quota-unit = Ko skaita
template-quota-call = pieprasījumus
template-quota-record = ierakstus
template-days = Cik dienu, ne vairāk
template-empty-hint = Tukšs: bez ierobežojuma.
template-why = Kāpēc
template-retire = Vairs nelietot
template-is-retired = Šo sagatavi vairs nelieto: jauni pieteikumi ar to nav iespējami.
rules-title = Kādus pieteikumus pieņemam
rules-template-only = Tikai pēc sagataves
rules-template-only-hint = Pieteikumu bez sagataves nevarēs iesniegt. Jau iesniegtie paliek.
dataset-templates = Gatavi pieteikumi
dataset-templates-lead = Ja jūsu vajadzība ir viena no šīm, pieteikums jau ir gandrīz aizpildīts.
dataset-templates-only = Datu devējs pieņem pieteikumus tikai pēc šīm sagatavēm.
new-template = Pēc kādas sagataves
new-template-none = Bez sagataves: visu aizpildīšu pats
asked-template = Sagatave
asked-template-of = Nr. { $template }; viss prasītais ir tās robežās
done-template-made = Sagatave izveidota.
done-template-changed = Sagatave mainīta. Melnraksti ar iepriekšējo jāsāk no jauna.
done-template-retired = Sagatavi vairs nelieto.
done-rules-set = Saglabāts.
fault-template = Sagatave to neparedz.
fault-template-required = Datu devējs pieņem pieteikumus tikai pēc sagataves. Sāciet pieteikumu no datu kopas lapas.
fault-template-outdated = Datu devējs sagatavi ir mainījis vai vairs nelieto. Sāciet pieteikumu no datu kopas lapas.
fault-template-unknown = Tādas sagataves šai datu kopai nav. Sāciet pieteikumu no datu kopas lapas.
fault-quota-range = Ierakstiet veselu skaitli, lielāku par nulli, vai atstājiet tukšu.
fault-days-range = Ierakstiet dienu skaitu no 1 līdz 36500 vai atstājiet tukšu.
rules-test-access = Izmēģinājuma vidi dod uzreiz
rules-test-access-hint = Kas to lūdz, izmēģina pēc pieteikuma iesniegšanas, bez lēmuma, kamēr vidē ir tikai sistēmas izdomāti ieraksti. Piegāde šīs atļaujas aptur. Tas ir jūsu lēmums, un sistēma to paraksta.
sandbox-title = Izmēģinājuma vide
sandbox-is-generated = Tajā ir tikai sistēmas izdomāti ieraksti.
sandbox-not-generated = Tā ir tukša vai tajā ir piegādāti ieraksti: pēc noteikuma tagad neko nedod.
sandbox-fill-lead = Izdomātie ieraksti aizstās visu, kas izmēģinājuma vidē ir tagad.
sandbox-records = Cik ierakstu
sandbox-records-hint = No 1 līdz 10 000.
sandbox-fill = Aizpildīt ar izdomātiem ierakstiem
done-sandbox-filled = Izmēģinājuma vide aizpildīta.
fault-records-range = Ierakstiet skaitu no 1 līdz 10000.
dataset-test-access = Izmēģinājuma vidi ar izdomātiem ierakstiem saņemsiet uzreiz, kad iesniegsiet pieteikumu.
