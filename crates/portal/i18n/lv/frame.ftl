skip-to-content = Uz saturu
development-mark = Izstrādes vide: te var pieteikties ar jebkuru personas kodu. Dati nav īsti.
brand-more = Datu aprite starp iestādēm
other-language = English
change = mainīt
sign-out = Iziet
sign-in = Pieteikties
nav-main = Galvenā izvēlne
nav-crumbs = Atrašanās vieta
nav-catalogue = Katalogs
nav-work = Mani darbi
nav-applications = Pieteikumi
nav-permissions = Atļaujas
nav-my-data = Mani dati
nav-notifications = Paziņojumi
unread = { $n ->
    [zero] { $shown } jaunu
    [one] { $shown } jauns
   *[other] { $shown } jauni
 }
footer-what = DAGR glabā reģistru publicētos datus un katram saņēmējam dod tikai to, ko ļauj atļauja. Katra izsniegšana tiek ierakstīta.
footer-api = Saskarnes apraksts
search = Meklēt
next-page = Nākamā lapa
yes = jā
no = nē
none = nav
count-records = { $n ->
    [zero] { $shown } ierakstu
    [one] { $shown } ieraksts
   *[other] { $shown } ieraksti
 }
count-recipients = { $n ->
    [zero] { $shown } datu ņēmēju
    [one] { $shown } datu ņēmējs
   *[other] { $shown } datu ņēmēji
 }
delay-seconds = { $n ->
    [zero] { $shown } sekunžu
    [one] { $shown } sekundes
   *[other] { $shown } sekunžu
 }
delay-minutes = { $n ->
    [one] { $shown } minūtes
   *[other] { $shown } minūšu
 }
delay-hours = { $n ->
    [one] { $shown } stundas
   *[other] { $shown } stundu
 }
delay-days = { $n ->
    [one] { $shown } dienas
   *[other] { $shown } dienu
 }
