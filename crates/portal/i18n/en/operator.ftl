nav-operator = Operator
nav-institution = Institution
institution-word = Institution
person-word = Person
role-word = Role
reason = Reason
save = Save
four-eyes = Nobody lets a system in alone: one proposes, another operator confirms.
actor-operator = operator token
actor-platform = the platform
actor-connection = connection { $client }
actor-person = person no. { $number }

operator-title = Operator
operator-proposals = Waits for a second pair of eyes
operator-roles = Proposed roles
operator-roles-none = No role is waiting. Operator roles that an operator proposes appear here.
operator-more = Administration
institutions-what = Find, register, change; people, roles and systems.
connections-what = Who may connect, with which certificate, until when.
people-what = Find a person by personal code and see their roles.
audit-what = Who changed what, and when.
health-what = Disclosure log, disk, jobs and notices to providers.
role-reject-reason = Rejected
role-reject-sure = Reject this role?

proposal-what = What
proposal-connection = New connection
proposal-certificate = New certificate
proposal-at = Proposed
proposal-state = State
proposal-proposed = waits for confirmation
proposal-confirmed = confirmed
proposal-rejected = rejected
proposal-for-you = waits for you
proposal-for-other = waits for another operator
proposal-by = Proposed by
proposal-decided-by = Decided by
proposal-own = You proposed this, so another operator confirms it.
proposal-waits = Once an operator confirms, it is in force at once. You will be told.
proposal-confirm = Confirm
proposal-confirm-lead = Once you confirm, it is in force at once. Make sure by another way, such as the telephone, that the institution asked for it.
proposal-reject = Reject
proposal-take-back = Take back the proposal
proposal-reason-hint = The proposer will read it.
proposals-waiting = Waits for confirmation
proposals-none = Nothing is waiting. Connections and certificates that somebody proposes appear here.

connections-title = Connections
connections-lead = With a connection an institution's system reaches the platform. It is known by its certificate.
connections-none = Your institution has no connection yet. An operator proposes the first: tell them which system will connect.
connections-none-operator = There is no connection yet. Propose the first.
connection-new = Propose a connection
connection-client-id = Name of the connection (client_id)
connection-client-id-hint = Letters, digits, hyphens, dots. It cannot be changed later.
connection-kind = Kind
connection-kind-producer = provider's connection
connection-kind-consumer = recipient's connection
connection-kind-producer-long = Provider's: the system delivers data
connection-kind-consumer-long = Recipient's: the system receives data
connection-state = State
connection-active = active
connection-withdrawn = withdrawn
connection-system = Information system
connection-system-hint = Code of the system. The system is registered first, on the institution's page.
connection-lifetime = Token is valid for
connection-lifetime-s = Token is valid for, seconds
connection-lifetime-hint = From 1 to 86400. Usually 600 is enough.
connection-description = Notes
connection-description-optional = Notes (optional)
connection-propose = Propose
connection-withdraw = Withdraw the connection
connection-withdraw-lead = The connection will never work again, and its tokens end at once.
certificate = Certificate
certificates = Certificates
certificates-none = There is no certificate yet, so nobody can connect. Propose the first.
certificate-subject = Issued to
certificate-from = Valid from
certificate-to = Valid until
certificate-do = Action
certificate-valid = valid
certificate-missing = no certificate
certificate-expired = expired
certificate-not-yet = not valid yet
certificate-ends = { $n ->
    [one] ends in { $shown } day
   *[other] ends in { $shown } days
 }
certificate-new = New certificate
certificate-new-lead = The new certificate will work beside the old one. Change it in your system, and only then remove the old one.
certificate-pem = Certificate as PEM
certificate-pem-hint = The text from “-----BEGIN CERTIFICATE-----” to “-----END CERTIFICATE-----”. Send your private key to nobody.
certificate-propose = Propose the certificate
certificate-remove = Remove
certificate-remove-sure = Remove this certificate? Nobody will be able to connect with it.
token-how = How to get a token
token-how-lead = Sign a JWT with the certificate's private key and exchange it for a token:
token-claims = What the JWT holds:

institutions-title = Institutions
institutions-search = Name or registration number
institutions-none = There is no such institution. Check the spelling or register a new one.
institution-name = Name
institution-number = Registration number
institution-number-hint = 11 digits; for a foreign institution the letters of the country and its number.
institution-kind = Kind (optional)
institution-kind-hint = For example municipality, ministry, company.
institution-new = Register an institution
institution-register = Register
institution-change = Change name or kind
institution-on-platform = Role on the platform
institution-no-role = The institution is neither provider nor recipient yet.
institution-apply-role = Apply for a role
institution-people = People and roles
institution-people-read = Roles are given and ended by the head of the institution.
institution-people-none = Nobody has a role yet. The first head is registered by an operator.
role-since = Since
role-until = Until
role-end = End
role-end-reason = Why the role ends
role-give = Give a role
role-give-lead = The role is in force from the next sign-in. Somebody we do not know yet will be registered.
role-code-hint = 11 digits. The code is shown to nobody afterwards.
role-name-hint = If the person is registered already, the registered name stays.
role-choose = Choose
role-state-proposed = waits for confirmation
role-state-active = active
role-state-ended = ended
systems-title = Information systems
systems-none = There is no system yet. Operators register them.
system-name = Name of the system
system-code = Code of the system
system-code-hint = Letters, digits, hyphens, dots.
system-new = Register a system
system-register = Register the system

people-title = People
people-lead = Search by personal code. The code is not kept in the address.
people-find = Find
people-number = No.
people-trail = what this person changed
people-no-roles = This person has no role and never had one.
people-unknown = Nobody with this code is registered. A role can be given on the institution's page.

audit-title = Audit trail
audit-lead = Every change of the registry, newest first. Disclosures of data are not here: they have a log of their own.
audit-noun = What was changed
audit-any = everything
audit-actor = Who changed it (no.)
audit-from = From
audit-to = To
audit-at = Time
audit-who = Who
audit-did = Action
audit-object = Object
audit-change = change
audit-before = Before:
audit-after = After:
audit-none = There is no such change. Whatever anybody changes in the registry will be here.
audit-export = Download CSV
noun-applications = applications
noun-connections = connections
noun-datasets = data sets
noun-institutions = institutions
noun-people = people and roles
noun-permissions = permissions
noun-plans = transition plans
noun-proposals = proposals
noun-settings = settings
noun-systems = systems

health-title = State of the platform
health-well = well
health-journal = Disclosure log
health-journal-ill = cannot be written
health-entries = { $n ->
    [one] { $shown } entry
   *[other] { $shown } entries
 }
health-damaged = { $n ->
    [one] { $shown } damaged entry
   *[other] { $shown } damaged entries
 }
health-disk = Disk
health-disk-low = little space
health-free = { $free } free,
health-reserve = reserve { $reserve }
health-version = Version
health-counts = In the registry
health-jobs = Latest jobs
health-jobs-none = There was no job yet. Packages, indexes and backups will be here.
health-notices = Notices to providers
health-notices-none = There are none.
job-what = Job
job-dataset = Data set
job-started = Started
job-ended = Ended
job-running = running
job-done = done
job-failed = failed
job-interrupted = interrupted
job-kind-package = package
job-kind-index = index
job-kind-backup = backup
notice-misses-limited = too many look-ups that found nothing
notice-expression-failing = a permission's condition cannot be computed
count-institutions = { $n ->
    [one] { $shown } institution
   *[other] { $shown } institutions
 }
count-connections = { $n ->
    [one] { $shown } connection
   *[other] { $shown } connections
 }
count-datasets = { $n ->
    [one] { $shown } data set
   *[other] { $shown } data sets
 }
count-permissions = { $n ->
    [one] { $shown } permission
   *[other] { $shown } permissions
 }

done-proposed = Proposed. Now another operator confirms it.
done-confirmed = Confirmed and in force.
done-rejected = Rejected. The proposer sees the reason.
done-certificate-removed = The certificate is removed.
done-connection-withdrawn = The connection is withdrawn. Its tokens do not work any more.
done-role-given = The role is given.
done-role-proposed = The role is proposed. Another operator confirms it.
done-role-confirmed = The role is confirmed and in force.
done-role-rejected = The role is rejected.
done-role-ended = The role is ended.
done-institution-made = The institution is registered.
done-institution-changed = Saved.
done-system-made = The system is registered.

fault-exists = There is one already.
fault-kind-required = Choose the kind of the connection.
fault-role-required = Choose a role.
fault-person-code = This is not a valid personal code. It has 11 digits.
fault-registration-number = It has 11 digits; for a foreign institution two letters of the country and a number.
fault-code = Letters, digits, hyphen, underscore and dot; the first is a letter or digit.
fault-system-unknown = There is no such system. Register it on the institution's page first.
fault-token-lifetime-s-range = It must be a number from 1 to 86400.
fault-pem-certificate = This is not a valid certificate. Send PEM text with a key of RSA (2048 bits or more), EC P-256 or Ed25519, without the private key.
fault-pem-expired = The certificate has expired. Make a new one.
fault-pem-held = The connection has this certificate already.
fault-characters = There are invisible characters in the text. Delete them.
health-mail = E-mail
health-mail-late = mail does not go out
health-mail-waiting = { $n ->
    [one] { $shown } message waits
   *[other] { $shown } messages wait
 }
health-mail-given-up = { $n ->
    [one] { $shown } given up
   *[other] { $shown } given up
 }
institution-parent = Institution above (optional)
institution-parent-hint = Its registration number, 11 digits.
institution-under = under
fault-parent-unknown = There is no such institution. Register it first.
fault-parent-cycle = An institution cannot be under itself.
