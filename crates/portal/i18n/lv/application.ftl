application-new = Jauns pieteikums
application-title = Pieteikums { $number }
application-number = Numurs
application-about = Par ko
application-applicant = Pieteicējs
application-state = Stāvoklis
application-due = jāizlemj līdz
application-role = Loma: { $role }
application-grounds = Pamatojums
application-grounds-hint = Kurš likums vai līgums jūsu iestādei dod šo uzdevumu?
application-became = Atļauja:
applications-side = Kuras puses
applications-both = visi
applications-ours = ko iesniedzām mēs
applications-to-us = ko lemjam mēs
applications-any = jebkurš
applications-none = Te būs pieteikumi. Lai sāktu pirmo, atrodiet katalogā datu kopu un spiediet “Pieteikties šiem datiem”.
filter = Atlasīt
late = nokavēts
operator-name = DAGR operators
institution-role-provider = datu devējs
institution-role-recipient = datu ņēmējs
stage-draft = melnraksts
stage-submitted = iesniegts
stage-returned = atgriezts precizēšanai
stage-resubmitted = iesniegts atkārtoti
stage-legal-review = juridiskā izvērtēšana
stage-decided = izlemts
stage-approved = apstiprināts
stage-partial = apstiprināts daļēji
stage-refused = noraidīts
stage-withdrawn = atsaukts
lead-draft = Melnrakstu redz tikai jūsu iestāde. Kad viss ir aizpildīts, iesniedziet to.
lead-waits = Lēmums jāpieņem līdz { $day }.
lead-returned = Datu devējs lūdz precizēt. Izlabojiet un iesniedziet vēlreiz.
lead-withdrawn = Pieteicējs pieteikumu ir atsaucis.
lead-approved = Apstiprināts { $day }. Datus var saņemt.
lead-partial = Apstiprināts daļēji { $day }. Pie katra noraidītā lauka ir teikts, kāpēc.
lead-refused = Noraidīts { $day }. Iemesls ir zemāk; var sākt jaunu pieteikumu.
faults-title = Lūdzu, izlabojiet
continue = Turpināt
save-and-next = Saglabāt un turpināt
back-to-application = Atpakaļ uz pieteikumu

new-applicant = Pieteicējs
new-decides = Lemj
new-how = Kā tas notiks
new-step-1 = Izvēlēsieties laukus un pie katra norādīsiet likumu.
new-step-2 = Pateiksiet, kam dati vajadzīgi.
new-step-3 = Izvēlēsieties, kā datus saņemsiet.
new-step-4 = Pārbaudīsiet un iesniegsiet. Pēc tam lemj datu devējs.
new-begin = Sākt pieteikumu
new-choose = Atrodiet katalogā datus, kas jums vajadzīgi, un piesakieties tur.
new-to-catalogue = Uz katalogu
new-role = Vai jūsu iestāde te ir pirmoreiz?
new-role-lead = Iestāde var lūgt datu devēja vai datu ņēmēja lomu. Lemj operators.
new-role-recipient = Kļūt par datu ņēmēju
new-role-provider = Kļūt par datu devēju
new-needs-institution = Pieteikumu iesniedz iestāde. Izvēlieties, kuras iestādes vārdā darbojaties.
new-needs-role = Pieteikumu jūsu iestādē var iesniegt vadītājs vai datu pārzinis. Lūdziet kādu no viņiem, vai lūdziet vadītājam šo lomu.

draft-tasks = Kas jāaizpilda
draft-fields = Kuri lauki un kāpēc
draft-purpose = Mērķis un tiesiskais pamats
draft-terms = Kā saņemsiet
draft-check = Pārbaudīt un iesniegt
draft-step-1 = 1. solis no 4
draft-step-2 = 2. solis no 4
draft-step-3 = 3. solis no 4
draft-step-4 = 4. solis no 4
draft-missing = { $n ->
    [zero] vēl trūkst { $shown } lietu
    [one] vēl trūkst { $shown } lietas
   *[other] vēl trūkst { $shown } lietu
 }
draft-kept = Melnraksts saglabāts { $at }
draft-not-kept = Melnrakstu pašlaik neizdevās saglabāt. Nospiediet “Saglabāt un turpināt”.
draft-fields-lead = Atzīmējiet tikai to, kas tiešām vajadzīgs. Pie katra lauka norādiet pantu, kas ļauj to zināt.
draft-law-all = Pants visiem atzīmētajiem laukiem
draft-law-all-hint = To izmantosim tur, kur lauka paša pants nav norādīts. Piemēram: Sociālo pakalpojumu likuma 4. pants.
task-done = aizpildīts
task-open = jāaizpilda
preview-title = Tieši tas, ko saņemtu
preview-none = Atzīmējiet laukus, un te parādīsies paraugs.
check-missing = Pirms iesniegšanas vēl jāaizpilda
check-send = Iesniegšana
check-seal = Iesniedzot jūs apliecināt, ka rakstītais ir pareizs. Sistēma to apzīmogo ar jūsu vārdu, lomu un laiku. Lems { $provider }.
check-submit = Iesniegt pieteikumu
check-submit-again = Iesniegt vēlreiz

asked-title = Ko prasa
asked-purpose = Mērķis
asked-purpose-hint = Kam dati vajadzīgi? Šo teikumu redzēs arī cilvēks, par kuru ir dati. Piemēram: dzīvokļa pabalsta piešķiršana.
asked-law = Tiesiskais pamats
asked-law-hint = Kurš likums jums dod šo uzdevumu? Piemēram: Sociālo pakalpojumu un sociālās palīdzības likuma 35. pants.
asked-use = Kā dati tiks izmantoti
asked-use-hint = Daži teikumi: kurš tos skatīs, kad un ko ar tiem darīs.
asked-processor = Apstrādātājs
asked-processor-hint = Ja ar datiem jūsu vietā strādās cits, viņa reģistrācijas numurs. Citādi atstājiet tukšu.
asked-ways = Kā saņems
asked-scope = Par ko
asked-section = Vide
asked-quota = Izmantošanas limits
asked-quota-hint = Cik reižu kopā. Ja limits nav vajadzīgs, atstājiet tukšu.
asked-quota-unit = Ko skaita
asked-validity = Termiņš
asked-case = Lietas numurs
asked-case-yes = jānorāda katrā pieprasījumā
asked-case-no = nav jānorāda
asked-case-choice = Katrā pieprasījumā norādīsim lietas numuru
way-key = vienu ierakstu pēc atslēgas
way-index = meklējot pēc lauka { $name }
way-changes = visas izmaiņas
way-list = izmaiņu saraksts { $name }
way-bulk = visu kopumu uzreiz
way-history = agrākos ierakstus
way-digest = kontrolsummas kopijas salīdzināšanai
scope-all = visi ieraksti
scope-keys = { $n ->
    [zero] { $shown } nosauktu ierakstu
    [one] { $shown } nosaukts ieraksts
   *[other] { $shown } nosaukti ieraksti
 }
scope-when = ieraksti, kuriem { $when }
scope-keys-choice = tikai šie ieraksti
scope-keys-hint = Viena atslēga rindā:
scope-when-choice = tikai ieraksti, kas atbilst nosacījumam
scope-when-hint = Nosacījums CEL valodā, piemēram: record.MunicipalityCode == "0001000"
section-main = pamata sadaļa
section-sandbox = priekšlikumu vide
section-main-choice = pamata sadaļa: īstie dati
section-sandbox-choice = priekšlikumu vide: izmēģināšanai
quota-none = bez limita
quota-calls = { $n ->
    [zero] { $shown } pieprasījumu
    [one] { $shown } pieprasījums
   *[other] { $shown } pieprasījumi
 }
quota-records = { $n ->
    [zero] { $shown } ierakstu
    [one] { $shown } ieraksts
   *[other] { $shown } ieraksti
 }
quota-unit-call = pieprasījumi
quota-unit-record = ieraksti
valid-from = no
valid-to = līdz
validity-open = bez termiņa
validity-from = no { $from }
validity-to = līdz { $to }
validity-between = no { $from } līdz { $to }
field-law = Pants
field-key = atslēga
field-gone = šāda lauka datu kopā vairs nav
field-refused = noraidīts

decide-fields = Prasītie lauki
decide-fields-hint = Noņemiet ķeksi laukam, ko nedodat, un blakus uzrakstiet, kāpēc. Pieteicējs to izlasīs.
decide-give = Dot
decide-held = Kam tas jau ir
decide-why = Kāpēc nedodat
decide-title = Lēmums
choice-give = Dot atzīmētos laukus
choice-give-role = Piešķirt lomu
choice-return = Atgriezt precizēšanai
choice-refuse = Noraidīt visu pieteikumu
decide-reason = Paskaidrojums
decide-reason-hint = Vajadzīgs, ja atgriežat vai noraidāt. Pieteicējs to redzēs.
return-reason = Kas jāprecizē
refuse-reason = Noraidīšanas iemesls
review-title = Juridiskā izvērtēšana
review-note = Jūsu slēdziens
review-note-hint = To redzēs tas, kurš lemj. Var atstāt tukšu.
review-pass-on = Nodot lemšanai
confirm-give = Apstiprināt
confirm-return = Atgriezt precizēšanai
confirm-refuse = Noraidīt
confirm-lead = Pārbaudiet, pirms apstiprināt. Pieteicējs: { $applicant }.
confirm-given = { $n ->
    [zero] Dosiet { $shown } lauku
    [one] Dosiet { $shown } lauku
   *[other] Dosiet { $shown } laukus
 }
confirm-refused = { $n ->
    [zero] Nedosiet { $shown } lauku
    [one] Nedosiet { $shown } lauku
   *[other] Nedosiet { $shown } laukus
 }
confirm-seal = Apstiprinot jūs pieņemat lēmumu iestādes vārdā. Sistēma to apzīmogo, un atļauja stājas spēkā uzreiz.
remarks-title = Kas jāprecizē
facts-title = Kas jāzina, lemjot
facts-records = { $n ->
    [zero] Datu kopā ir { $shown } ierakstu.
    [one] Datu kopā ir { $shown } ieraksts.
   *[other] Datu kopā ir { $shown } ieraksti.
 }
facts-bulk = Prasa arī daudzus ierakstus uzreiz, ne tikai pa vienam.
facts-processor = Ar datiem strādās arī { $name }.
facts-joinable = Pieteicējam jau ir dati, ko ar šiem var savienot: { $set }
facts-others = Kam dati jau ir
facts-shared = { $n ->
    [zero] { $shown } kopīgu lauku
    [one] { $shown } kopīgs lauks
   *[other] { $shown } kopīgi lauki
 }
thread-title = Sarakste
thread-empty = Te var jautāt un atbildēt. To redz pieteicējs un datu devējs.
thread-write = Jūsu teksts
thread-send = Sūtīt
attachments-title = Pielikumi
attachments-none = Te var pievienot failus: līgumu, pilnvarojumu, parakstītu dokumentu.
attachments-full = Pieteikumam jau ir 50 pielikumi, vairāk nevar pievienot.
attachment-file = Fails
attachment-kind = Kas tas ir
attachment-size = Lielums
attachment-who = Kas un kad pievienoja
attachment-document = dokuments
attachment-signature = parakstīts konteiners (ASiC-E)
attachment-unverified = Vai paraksts ir derīgs, te nav pārbaudīts.
attachment-add = Pievienot failu
attachment-hint = PDF, DOCX, ODT, PNG, JPEG, teksts (TXT) vai ar drošu elektronisko parakstu parakstīts konteiners (EDOC, ASICE). Viens fails reizē, līdz 5 MiB. Pievienoto nevar ne mainīt, ne noņemt.
attachment-send = Pievienot
events-title = Kas noticis
event-create = Sākts melnraksts
event-amend = Mainīts
event-submit = Iesniegts
event-return = Atgriezts precizēšanai
event-review = Juridiski izvērtēts un nodots lemšanai
event-decide = Izlemts
event-withdraw = Atsaukts
event-sealed = apzīmogots
withdraw-title = Atsaukt pieteikumu
withdraw-reason = Kāpēc
withdraw-confirm = Vai tiešām atsaukt? To nevar atdarīt; varēs sākt jaunu pieteikumu.
done-submitted = Pieteikums iesniegts.
done-commented = Nosūtīts.
done-attached = Fails pievienots.
done-returned = Pieteikums atgriezts precizēšanai. Pieteicējs to redz.
done-reviewed = Nodots lemšanai.
done-approved = Apstiprināts. Atļauja ir spēkā.
done-partial = Apstiprināts daļēji. Atļauja ir spēkā.
done-refused = Noraidīts. Pieteicējs redz iemeslu.
done-withdrawn = Pieteikums atsaukts.
place-purpose = Mērķis
place-legal-basis = Tiesiskais pamats

fault-required = Šis jāaizpilda.
fault-environments-required = Izvēlieties vismaz vienu vidi.
fault-purpose-required = Uzrakstiet, kam dati vajadzīgi.
fault-legal-basis-required = Nosauciet likumu, kas jums dod šo uzdevumu.
fault-use-case-required = Uzrakstiet, kā dati tiks izmantoti.
fault-fields-required = Atzīmējiet vismaz vienu lauku.
fault-ways-required = Izvēlieties vismaz vienu veidu, kā datus saņemsiet.
fault-grounds-required = Uzrakstiet pamatojumu.
fault-reason-required = Uzrakstiet iemeslu: pieteicējs to izlasīs.
fault-remarks-required = Uzrakstiet, kas jāprecizē.
fault-file-required = Izvēlieties failu.
fault-file-empty = Fails ir tukšs. Izvēlieties citu.
fault-file-too-large = Fails ir par lielu: drīkst līdz 5 MiB. Samaziniet to vai sadaliet vairākos failos.
fault-file-count = Pieteikumam jau ir 50 pielikumi, vairāk nevar pievienot.
fault-name-file-name = Faila nosaukumā drīkst būt 1 līdz 200 zīmes bez slīpsvītrām un jaunām rindām, un tas nedrīkst sākties ar punktu. Pārdēvējiet failu.
fault-content-type-media-type = Šādu failu pievienot nevar. Der PDF, DOCX, ODT, PNG, JPEG, TXT, EDOC un ASICE.
fault-body-content = Faila saturs neatbilst tā nosaukumam. Saglabājiet to vēlreiz īstajā formātā; tekstam jābūt UTF-8.
fault-body-container = Tas nav vesels ASiC-E konteiners ar parakstītu failu un parakstu. Lejupielādējiet to vēlreiz no vietas, kur parakstījāt.
fault-too-long = Teksts ir par garu.
fault-number = Ierakstiet veselu skaitli, lielāku par nulli, vai atstājiet tukšu.
fault-date = Ierakstiet dienu, piemēram, 12.05.2026.
fault-range = Beigas ir pirms sākuma.
word-reason = Iemesls
word-opinion = Jurista slēdziens
