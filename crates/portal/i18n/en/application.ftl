application-new = New application
application-title = Application { $number }
application-number = Number
application-about = About
application-applicant = Applicant
application-state = State
application-due = decision due
application-role = Role: { $role }
application-grounds = Grounds
application-grounds-hint = Which law or contract gives your institution this task?
application-became = Permission:
applications-side = Whose
applications-both = all
applications-ours = what we asked for
applications-to-us = what we decide
applications-any = any
applications-none = Applications will be here. To begin the first, find a data set in the catalogue and choose “Apply for these data”.
filter = Filter
late = late
operator-name = DAGR operator
institution-role-provider = provider
institution-role-recipient = recipient
stage-draft = draft
stage-submitted = submitted
stage-returned = returned
stage-resubmitted = resubmitted
stage-legal-review = legal review
stage-decided = decided
stage-approved = approved
stage-partial = approved in part
stage-refused = refused
stage-withdrawn = withdrawn
lead-draft = Only your institution sees a draft. When everything is filled in, submit it.
lead-waits = A decision is due by { $day }.
lead-returned = The provider asks for precision. Mend it and submit again.
lead-withdrawn = The applicant has withdrawn the application.
lead-approved = Approved on { $day }. The data can be had.
lead-partial = Approved in part on { $day }. Each refused field says why.
lead-refused = Refused on { $day }. The reason is below; another application may be begun.
faults-title = Please mend
continue = Continue
save-and-next = Save and continue
back-to-application = Back to the application

new-applicant = Applicant
new-decides = Who decides
new-how = What will happen
new-step-1 = You choose fields and cite the law for each.
new-step-2 = You say what the data are for.
new-step-3 = You choose how you receive them.
new-step-4 = You check and submit. Then the provider decides.
new-begin = Begin the application
new-choose = Find the data you need in the catalogue and apply there.
new-to-catalogue = To the catalogue
new-role = Is your institution new here?
new-role-lead = An institution may ask to be a provider or a recipient. The operator decides.
new-role-recipient = Become a recipient
new-role-provider = Become a provider
new-needs-institution = An institution applies. Choose which institution you act for.
new-needs-role = In your institution the head or a data manager may apply. Ask one of them, or ask the head for the role.

draft-tasks = What to fill in
draft-fields = Which fields and why
draft-purpose = Purpose and legal basis
draft-terms = How you receive them
draft-check = Check and submit
draft-step-1 = Step 1 of 4
draft-step-2 = Step 2 of 4
draft-step-3 = Step 3 of 4
draft-step-4 = Step 4 of 4
draft-missing = { $n ->
    [one] { $shown } thing is missing
   *[other] { $shown } things are missing
 }
draft-kept = Draft saved { $at }
draft-not-kept = The draft could not be saved now. Press “Save and continue”.
draft-fields-lead = Tick only what you really need. Cite for each field the article that allows you to know it.
draft-law-all = Article for all ticked fields
draft-law-all-hint = Used where a field has no article of its own. For example: Law on Social Services, section 4.
task-done = filled in
task-open = to fill in
preview-title = Exactly what would be given
preview-none = Tick fields, and a sample appears here.
check-missing = Before submitting, fill in
check-send = Submitting
check-seal = By submitting you confirm that what is written is right. The system seals it with your name, role and the time. { $provider } decides.
check-submit = Submit the application
check-submit-again = Submit again

asked-title = What is asked
asked-purpose = Purpose
asked-purpose-hint = What are the data for? The person concerned will read this sentence too. For example: granting of housing benefit.
asked-law = Legal basis
asked-law-hint = Which law gives you this task? For example: Law on Social Services and Social Assistance, section 35.
asked-use = How the data will be used
asked-use-hint = A few sentences: who looks at them, when, and what is done with them.
asked-processor = Processor
asked-processor-hint = If another works on the data for you, its registration number. Otherwise leave it empty.
asked-ways = How they are received
asked-scope = About what
asked-section = Section
asked-quota = Quota
asked-quota-hint = How many times in all. Leave it empty if no quota is needed.
asked-quota-unit = What is counted
asked-validity = Validity
asked-case = Case number
asked-case-yes = with every request
asked-case-no = not needed
asked-case-choice = We give a case number with every request
way-key = one record by its key
way-index = by searching field { $name }
way-changes = all changes
way-list = change list { $name }
way-bulk = all of it at once
way-history = earlier records
way-digest = digests, to compare a copy
scope-all = all records
scope-keys = { $n ->
    [one] { $shown } named record
   *[other] { $shown } named records
 }
scope-when = records for which { $when }
scope-keys-choice = only these records
scope-keys-hint = One key a line:
scope-when-choice = only records that fulfil a condition
scope-when-hint = A condition in CEL, for example: record.MunicipalityCode == "0001000"
section-main = main
section-sandbox = sandbox
section-main-choice = main: the real data
section-sandbox-choice = sandbox: for trying out
quota-none = no quota
quota-calls = { $n ->
    [one] { $shown } request
   *[other] { $shown } requests
 }
quota-records = { $n ->
    [one] { $shown } record
   *[other] { $shown } records
 }
quota-unit-call = requests
quota-unit-record = records
valid-from = from
valid-to = until
validity-open = no end
validity-from = from { $from }
validity-to = until { $to }
validity-between = from { $from } until { $to }
field-law = Article
field-key = key
field-gone = no longer in the data set
field-refused = refused

decide-fields = Fields asked
decide-fields-hint = Untick a field you do not give and write beside it why. The applicant will read it.
decide-give = Give
decide-held = Who has it already
decide-why = Why not given
decide-title = Decision
choice-give = Give the ticked fields
choice-give-role = Give the role
choice-return = Return for precision
choice-refuse = Refuse the whole application
decide-reason = Explanation
decide-reason-hint = Needed when you return or refuse. The applicant will see it.
return-reason = What has to be made precise
refuse-reason = Reason for the refusal
review-title = Legal review
review-note = Your opinion
review-note-hint = Whoever decides will see it. May be left empty.
review-pass-on = Pass on for decision
confirm-give = Approve
confirm-return = Return for precision
confirm-refuse = Refuse
confirm-lead = Check before you confirm. Applicant: { $applicant }.
confirm-given = { $n ->
    [one] You give { $shown } field
   *[other] You give { $shown } fields
 }
confirm-refused = { $n ->
    [one] You refuse { $shown } field
   *[other] You refuse { $shown } fields
 }
confirm-seal = By approving you decide for your institution. The system seals the decision, and the permission is in force at once.
remarks-title = What has to be made precise
facts-title = What to know when deciding
facts-records = { $n ->
    [one] The data set holds { $shown } record.
   *[other] The data set holds { $shown } records.
 }
facts-bulk = Many records at once are asked, not only one by one.
facts-processor = { $name } works on the data too.
facts-joinable = The applicant already holds data these can be joined with: { $set }
facts-others = Who has the data already
facts-shared = { $n ->
    [one] { $shown } field in common
   *[other] { $shown } fields in common
 }
thread-title = Conversation
thread-empty = Ask and answer here. Applicant and provider see it.
thread-write = Your text
thread-send = Send
attachments-title = Attachments
attachments-none = Files may be attached here: a contract, an authorisation, a signed document.
attachments-full = The application has 50 attachments already: it can have no more.
attachment-file = File
attachment-kind = What it is
attachment-size = Size
attachment-who = Attached by and when
attachment-document = document
attachment-signature = signed container (ASiC-E)
attachment-unverified = Whether the signature is valid was not checked here.
attachment-add = Attach a file
attachment-hint = PDF, DOCX, ODT, PNG, JPEG, text (TXT) or a container signed with a qualified electronic signature (EDOC, ASICE). One file at a time, up to 5 MiB. What was attached can be neither changed nor taken away.
attachment-send = Attach
events-title = What happened
event-create = Draft begun
event-amend = Changed
event-submit = Submitted
event-return = Returned for precision
event-review = Reviewed and passed on
event-decide = Decided
event-withdraw = Withdrawn
event-sealed = sealed
withdraw-title = Withdraw the application
withdraw-reason = Why
withdraw-confirm = Withdraw it? This cannot be undone; another application may be begun.
done-submitted = The application was submitted.
done-commented = Sent.
done-attached = The file was attached.
done-returned = The application was returned. The applicant sees it.
done-reviewed = Passed on for decision.
done-approved = Approved. The permission is in force.
done-partial = Approved in part. The permission is in force.
done-refused = Refused. The applicant sees the reason.
done-withdrawn = The application was withdrawn.
place-purpose = Purpose
place-legal-basis = Legal basis

fault-required = This has to be filled in.
fault-environments-required = Choose at least one section.
fault-purpose-required = Say what the data are for.
fault-legal-basis-required = Name the law that gives you the task.
fault-use-case-required = Say how the data will be used.
fault-fields-required = Tick at least one field.
fault-ways-required = Choose at least one way to receive the data.
fault-grounds-required = State the grounds.
fault-reason-required = State the reason: the applicant will read it.
fault-remarks-required = Say what has to be made precise.
fault-file-required = Choose a file.
fault-file-empty = The file is empty. Choose another.
fault-file-too-large = The file is too large: up to 5 MiB are taken. Make it smaller or divide it into several files.
fault-file-count = The application has 50 attachments already: it can have no more.
fault-name-file-name = A file’s name may have 1 to 200 characters without slashes and line breaks, and may not begin with a dot. Rename the file.
fault-content-type-media-type = A file of this kind cannot be attached. PDF, DOCX, ODT, PNG, JPEG, TXT, EDOC and ASICE can.
fault-body-content = The file does not hold what its name says. Save it again in the right format; a text has to be UTF-8.
fault-body-container = This is no whole ASiC-E container with a signed file and a signature. Download it again from where it was signed.
fault-too-long = The text is too long.
fault-number = Write a whole number above zero, or leave it empty.
fault-date = Write a day, for example 12.05.2026.
fault-range = The end is before the beginning.
word-reason = Reason
word-opinion = Lawyer’s opinion
