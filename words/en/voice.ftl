### Voice: what people say of the service.
report-site = Place
report-said = What people say
report-at = Sent
report-undated = Time not known yet
report-received = arrived { $when }
report-number = no. { $number }
report-empty = There are no such reports.
report-waiting = { $n ->
    [0] Nothing is waiting to be looked at.
    [one] One report is waiting to be looked at.
   *[other] { $n } reports are waiting to be looked at.
}
report-status = Status
report-status-new = New
report-status-seen = Seen
report-status-done = Done
report-mark-new = Open again
report-mark-seen = Mark as seen
report-mark-done = Mark as done
report-kind-no-internet = No internet
report-kind-slow = Slow
report-kind-cannot-log-in = Cannot connect at the portal
report-kind-equipment-damaged = Equipment damaged
report-kind-other = Something else
refusal-report-unknown = There is no such report.
refusal-report-status-unknown = A report is new, seen or done.
