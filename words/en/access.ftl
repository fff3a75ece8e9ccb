### Access: who is online, and ending it.
console-sessions = Who is online
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
refusal-session-unknown = The hub knows no such session.
refusal-session-over = This session has ended already.
refusal-disconnect-minutes = A device stays out between one minute and { $most } minutes.
noun-session = session
act-disconnect = disconnected
