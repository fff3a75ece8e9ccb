### The console: frame, first page, a place's data, and conflicts.
console-nav = Console
console-overview = Overview
console-sites = Places
console-gateways = Gateways
console-reports = Reports
console-staff = Staff
console-tokens = API tokens
console-audit = Audit
console-sign-out = Sign out
console-attention = What needs attention
console-trouble = Places in trouble
console-no-trouble = No place is in trouble now.
console-more = { $n ->
    [one] and { $n } more place
   *[other] and { $n } more places
}
console-done = Latest changes
console-count = { $n ->
    [one] { $n } place
   *[other] { $n } places
}
console-first = From the beginning
console-public-page = public page
console-not-saved = Not saved. Mend this first:
console-saved = The change is saved.
console-site-data = Data of the place
console-read-only = You can only read the data of this place.
console-source = Source of the data: { $source }
console-save = Save

field-name = Name
field-address = Address
field-area = Village
field-lat = Latitude
field-lon = Longitude
field-position-quality = Quality of the position
field-position-basis = How the position was made
field-stage = Stage
field-down-kbps = Down, kbit/s (empty: as its category)
field-up-kbps = Up, kbit/s (empty: as its category)
field-upstream = Fibre segment
field-official-id = Official code
field-code = Code
field-category = Category
field-source = Source
field-name-quality = Quality of the name
field-role = Role
field-full-name = Full name
field-one-time = One-time password
field-expires-at = Valid until
field-why = Reason
field-report-status = Status
field-kind = The file holds
field-rows = Rows
field-added = Added
field-changed = Changed
field-unchanged = Unchanged

conflict-title = Somebody else has just changed this place
conflict-intro = While you filled in the form of { $name }, another change was saved first. Nothing of yours is saved yet.
conflict-field = Entry
conflict-theirs = Saved now
conflict-mine = Yours
conflict-overwrite = Save mine
conflict-keep = Keep what is saved

claim-title = Claim code
claim-intro = A claim code lets one box enrol at this place, once. An older code that is still open is taken back as soon as a new one is made.
claim-life = May be used for
claim-hours = { $n ->
    [one] { $n } hour
   *[other] { $n } hours
}
claim-issue = Make a claim code
claim-empty = There has been no claim code for this place.
claim-issued = New claim code
claim-until = May be used until { $time }.
claim-once = This code is shown once; note it down or scan it now.
claim-qr = Scan it with a phone near the box.
claim-config = Or write it in gateway.toml
claim-withdraw = Take back
claim-withdraw-sure = This code cannot be used any more then.
claim-standing-open = Open
claim-standing-used = Used
claim-standing-expired = Expired
claim-standing-withdrawn = Taken back

lines-title = Ways out
lines-intro = This place has a second line that belongs to the community. What each carried for the place in the last 30 days:
lines-line = Line
lines-down = To the place
lines-up = From the place
lines-provider = The provider's
lines-switches = When the place went over
lines-to-provider = Back to the provider's line
lines-to-community = To the line of { $owner }
lines-why-no-carrier = The cable was out
lines-why-silent = Nothing answered
lines-why-back = The provider's line was good again
lines-why-backup-lost = The community's line was dead too
refusal-lines-moment = "{ $value }" in { $name } is no time such as 2026-11-24T14:00:00+08:00.

gateway-empty = No gateway has enrolled yet. Make a claim code on a place's page:
gateway-search = Place: name or code
gateway-with-revoked = Also those that were revoked
gateway-none-found = No gateway stands at such a place. Try a shorter word, or look among those that were revoked.
gateway-site = Place
gateway-id = Gateway
gateway-version = Version
gateway-has = With { $features }
gateway-lacks = Without { $features }
gateway-seen = Last heard
gateway-people = People
gateway-state = State
gateway-state-heard = Heard
gateway-state-silent = Silent
gateway-state-never = Not heard since the hub started
gateway-state-revoked = Revoked
gateway-revoke = Revoke
gateway-open = Open local settings
gateway-open-intro = When the place has lost its way to the internet: whoever stands beside the box opens http://(its address)/setup and reads a code out to you.
gateway-challenge = Code that the box shows
gateway-answer = Answer
gateway-open-tell = To the code { $challenge } the answer is:
gateway-open-once = It opens the box's local settings once. That it was given is in the audit.
gateway-revoke-sure = The gateway at { $site } will not be able to reach the hub any more. This cannot be undone; a box in its place needs a new claim code.
gateway-why = Reason

refusal-form-number = "{ $value }" is not a number. Write digits, with a comma or a point.
refusal-revision-needed = A change must name the "revision" that was read last.
refusal-revision-other = This was changed meanwhile; its revision is now { $revision }. Read it again, then send yours.
