skip-to-content = Skip to content
development-mark = Development: anybody may sign in with any personal code. The data are not real.
brand-more = Data between institutions
other-language = Latviski
change = change
sign-out = Sign out
sign-in = Sign in
nav-main = Main menu
nav-crumbs = Where you are
nav-catalogue = Catalogue
nav-work = My work
nav-applications = Applications
nav-permissions = Permissions
nav-my-data = My data
nav-notifications = Notifications
unread = { $shown } new
footer-what = DAGR holds what registers publish and gives each recipient only what a permission allows. Every disclosure is recorded.
footer-api = Interface description
search = Search
next-page = Next page
yes = yes
no = no
none = none
count-records = { $n ->
    [one] { $shown } record
   *[other] { $shown } records
 }
count-recipients = { $n ->
    [one] { $shown } recipient
   *[other] { $shown } recipients
 }
delay-seconds = { $n ->
    [one] { $shown } second
   *[other] { $shown } seconds
 }
delay-minutes = { $n ->
    [one] { $shown } minute
   *[other] { $shown } minutes
 }
delay-hours = { $n ->
    [one] { $shown } hour
   *[other] { $shown } hours
 }
delay-days = { $n ->
    [one] { $shown } day
   *[other] { $shown } days
 }
