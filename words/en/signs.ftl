### Signs, states, stages and qualities: the word that always goes with shape and colour.
sign-up = Working
sign-degraded = Slow
sign-down = Down
sign-unknown = Not observed
sign-closed = Closed
sign-not-in-service = Not in service

stage-planned = Planned
stage-surveyed = Surveyed
stage-delivered = Equipment delivered
stage-installed = Installed
stage-tested = Tested
stage-accepted = Accepted
stage-in-service = In service
stage-suspended = Suspended
stage-relocated = Relocated
stage-retired = Retired

position-quality-sourced = From the source named below
position-quality-surveyed = Surveyed on the spot
position-quality-approximate = Approximate

name-quality-sourced = From the source named below
name-quality-placeholder = Stand-in name

since-today = since { $clock }
since-yesterday = since yesterday { $clock }
since-date = since { $date } { $clock }

weekday-1 = Monday
weekday-2 = Tuesday
weekday-3 = Wednesday
weekday-4 = Thursday
weekday-5 = Friday
weekday-6 = Saturday
weekday-7 = Sunday
