### Access: vouchers, accounts, sessions, and what of their use does not fit.
console-vouchers = Vouchers
console-accounts = Accounts
console-sessions = Who is online

voucher-intro = A voucher's code lets somebody in for a while, counted from its first use. Vouchers of one place also work while its gateway cannot reach the hub.
voucher-empty = No vouchers have been made yet.
voucher-none = This batch has no more vouchers.
voucher-batch = Batch
voucher-place = Place
voucher-everywhere = everywhere
voucher-give = Gives
voucher-gives = { $lasts }, { $devices }
voucher-minutes = { $n ->
    [one] { $n } minute
   *[other] { $n } minutes
}
voucher-hours = { $n ->
    [one] { $n } hour
   *[other] { $n } hours
}
voucher-days = { $n ->
    [one] { $n } day
   *[other] { $n } days
}
voucher-devices = { $n ->
    [one] { $n } device at a time
   *[other] { $n } devices at a time
}
voucher-made = Made
voucher-used = Used
voucher-revoked-count = Taken back
voucher-begin-before = To be begun before { $when }
voucher-make = Make vouchers
voucher-label = What you call this batch
voucher-site = Code of the place (empty: everywhere, only while the hub answers)
voucher-count = How many
voucher-hours-each = Hours that each lasts
voucher-days-to-begin = Days within which each must be begun
voucher-devices-each = Devices at a time
voucher-rate = Rate to a device, kbit/s (empty: as the place)
voucher-sheet = Sheet of vouchers
voucher-once = These codes are shown only now. Print this page or write them down before you leave it.
voucher-how = Join the Wi-Fi, open any page, choose "voucher" and type this code. Case and hyphens do not matter.
voucher-to-batch = Go to this batch
voucher-number = Number
voucher-state = State
voucher-state-unused = Unused
voucher-state-running = In use
voucher-state-used-up = Used up
voucher-state-expired = Not begun in time
voucher-state-revoked = Taken back
voucher-until = until { $when }
voucher-begun = First used
voucher-revoke = Take back
voucher-revoke-number = Take back number { $number }
voucher-revoke-batch = Take the whole batch back
voucher-revoke-batch-sure = Every voucher of this batch stops working, and whoever is online by one is disconnected.
voucher-of-batch = Number { $number } of { $label }

finding-waiting = { $n ->
    [0] Nothing in their use waits to be looked at
    [one] { $n } use does not fit and waits to be looked at
   *[other] { $n } uses do not fit and wait to be looked at
}
finding-title = What does not fit
finding-intro = A gateway that cannot reach the hub lets people in by itself and tells later. What should not have been is listed here.
finding-all = Show those that were seen too
finding-only-new = Show only new ones
finding-empty = Nothing is waiting here.
finding-what = What
finding-whose = Voucher or account
finding-at = When
finding-other = at the same time at { $site }
finding-found = found { $when }
finding-see = Mark as seen
finding-seen = Seen by { $who }
finding-double-use = More devices at a time than allowed
finding-revoked = Used after it was taken back or disabled
finding-expired = Begun too late
finding-used-up = Used after its time was over
finding-unknown = Let in by something that the hub does not know
finding-voided = { $n ->
    [one] The gateway was revoked: { $n } voucher of this place is void. Make a new one.
   *[other] The gateway was revoked: { $n } vouchers of this place are void. Make new ones.
}

account-intro = An account lets one person in at every place that asks for one. Never write a national identity number here.
account-made = The secret of { $name }:
account-made-once = It is shown only now.
account-begins = Names that begin with
account-empty = There are no such accounts.
account-name = Name
account-label = Note
account-expires = Until
account-never = No end
account-open = Open
account-over = Over
account-disabled = Disabled
account-change = Change
account-reset = New secret
account-enable = Enable
account-disable = Disable
account-add = Make an account

session-lasted = { $n ->
    [one] { $n } minute
   *[other] { $n } minutes
}
session-intro = A device is shown as a digest: the same device has the same one, and nobody can tell more from it.
session-which = Which
session-online = Online
session-silent = Not heard of
session-empty = Nobody is online here as far as the hub knows.
session-device = Device
session-began = Began
session-used = Time and data
session-end = Disconnect
session-minutes = Minutes that the device stays out
session-ended-logged-out = Logged out
session-ended-idle = Idle
session-ended-session-limit = Time was over
session-ended-quota = Day's share used
session-ended-closed = The place closed
session-ended-disconnected = Disconnected
session-ended-lost = Lost
way-in-click-through = Accepted the terms
way-in-voucher = Voucher
way-in-account = Account
way-in-allow-list = Allow list

refusal-voucher-mistyped = This is not a voucher's code: one character is wrong. Read it again.
refusal-voucher-unknown = There is no such voucher.
refusal-voucher-elsewhere = This voucher is for another place.
refusal-voucher-used-up = This voucher is used up.
refusal-voucher-expired = This voucher should have been begun earlier.
refusal-voucher-revoked = This voucher was taken back.
refusal-voucher-devices = As many devices as this voucher allows are online already: { $devices }.
refusal-voucher-lasts = A voucher lasts between five minutes and 366 days.
refusal-voucher-devices-range = Allow between one and { $most } devices.
refusal-voucher-rate = A rate is at least 8 kbit/s.
refusal-voucher-count = Make between one and { $most } vouchers at a time.
refusal-voucher-label = A name has at most { $most } characters in one line.
refusal-voucher-over = The last day to begin them lies in the past.
refusal-account-name = A name has two to 64 of the characters a-z, 0-9 and . - _ @ and begins with a letter or digit.
refusal-account-secret = A secret has at least { $shortest } characters and is not the name.
refusal-account-taken = There is an account { $name } already.
refusal-account-unknown = There is no account { $name }.
refusal-account-wrong = Name or secret is wrong.
refusal-account-disabled = This account is disabled or over.
refusal-account-devices = As many devices as this account allows are online already: { $devices }.
refusal-admit-too-often = Too many tries. Try again in a few minutes.
refusal-roam-none = This device has no session at another place.
refusal-session-unknown = The hub knows no such session.
refusal-session-over = This session has ended already.
refusal-disconnect-minutes = A device stays out between one minute and { $most } minutes.
refusal-finding-unknown = There is no such finding.
refusal-finding-seen = Somebody has marked this as seen already.

noun-voucher = voucher
noun-voucher-batch = batch of vouchers
noun-account = account
noun-session = session
noun-access-finding = finding
act-make = made
act-disconnect = disconnected
act-see = looked at
act-reset-secret = gave a new secret to
