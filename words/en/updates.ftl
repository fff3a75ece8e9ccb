# Updates of boxes: releases and how they are rolled out.
console-updates = Updates
updates-intro = A program reaches boxes signed, stage after stage. It was signed away from this hub; each box checks that, tries it, and goes back by itself where it does not serve.
updates-not-begun = Nothing was begun. Mend the fields below.
updates-rollout = Rollout { $number }: version { $version }
updates-at-once = Boxes begin at once, at any hour
updates-in-hours = Boxes begin between { $hours }
updates-watch = { $n ->
    [0] a stage follows the one before at once
    [one] each stage is watched for an hour
   *[other] each stage is watched for { $n } hours
}
updates-stage = Stage
updates-stage-of = stage { $stage } of { $all }
updates-state = State
updates-stage-waits = Has not begun
updates-stage-runs = Runs
updates-stage-paused = Paused
updates-stage-stopped = Stopped
updates-stage-over = Over
updates-boxes = { $n ->
    [one] { $n } box
   *[other] { $n } boxes
}
updates-lacking = { $n } without a program for their machine
updates-aside = { $n } left aside
updates-failed = Boxes that did not keep it
updates-silent = Boxes that were not heard for a day
updates-do-pause = Pause
updates-do-resume = Go on
updates-do-stop = Stop for good
updates-sure-pause = Nobody new begins. Boxes that have begun go on, and you may go on later.
updates-sure-resume = The boxes that failed are left aside; the others are told.
updates-sure-stop = Nobody new begins any more. No program is taken back: for that, roll out another version.
updates-runs = What boxes run
updates-runs-empty = No box has enrolled yet.
updates-target = Kind of machine
updates-target-unknown = not said
updates-releases = Releases
updates-releases-empty = The hub has no release yet. In this order:
updates-how-sign = On a machine that is no hub:
updates-how-take = Then on the hub's machine, with both files:
updates-signed-by = key { $key }
updates-taken-by = taken by { $who }
updates-new = Roll out a version
updates-stages = Stages, one a line
updates-stages-hint = A line names areas (with all below them), categories or places, with commas between; regency is all the rest. Begin with a few places that somebody can walk to.
updates-codes = Codes of areas and categories
updates-quiet = Else in these hours
updates-wait = Hours to watch a stage after its last proof
updates-most-undone = So many failed boxes pause it
updates-begin-sure = The first stage begins at once. A rollout that runs is stopped by it.
updates-begin = Begin the rollout
updates-past = Earlier rollouts
rollout-state-running = Runs
rollout-state-paused = Paused
rollout-state-done = Done
rollout-state-stopped = Stopped
rollout-why-undone = a box did not keep the release
rollout-why-replaced = a newer one took its place
standing-proven = Proven
standing-waiting = On the way
standing-silent = Silent
standing-undone = Failed
standing-aside = Left aside
update-step-ready = Has the program
update-step-begun = Tries it
update-step-proven = Proven
update-step-refused = Refused it
update-step-undone = Went back
gateway-update = Update { $version }: { $state }
gateway-program = release { $program }
refusal-release-unreadable = This is no statement of a release: { $why }
refusal-release-no-file = The program { $sha256 } is not in the hub's folder updates, or not whole. Take it with kulkul update take.
refusal-release-other = This program was released as { $version } for { $target }. Sign a program that differs, or leave that one.
refusal-release-unknown = The hub has no such release.
refusal-release-in-use = Boxes were told of this release, run it, or are about to; it stays.
refusal-rollout-unknown = There is no rollout { $number }.
refusal-rollout-state = { $state ->
    [running] This rollout runs, or a newer one has taken its place.
    [paused] This rollout is paused, or a newer one has taken its place.
    [done] This rollout is done, or a newer one has taken its place.
   *[stopped] This rollout was stopped.
  } Load the page again.
refusal-rollout-version = The hub has no release of version "{ $version }". Take one with kulkul update take.
refusal-rollout-stages = Give 1 to { $most } stages.
refusal-rollout-scopes = A stage names 1 to { $most } scopes.
refusal-rollout-twice = { $scope } is named twice.
refusal-rollout-quiet = Give the quiet hours as 02:00-05:00.
refusal-rollout-wait = Stages are watched for at most { $most } hours.
refusal-rollout-most-undone = Give a number from 1 to { $most }.
act-take = took
act-begin = began
act-pause = paused
act-resume = went on with
act-stop = stopped
act-advance = went on in
act-finish = finished
noun-release = release
noun-rollout = rollout
field-version = Version
field-stages = Stages
field-at-once = At once
field-wait-hours = Hours to watch a stage
field-most-undone = Failed boxes that pause it
field-place = Place
field-bytes = Bytes
field-sha256 = Digest
field-signed-at = Signed
field-key = Key
