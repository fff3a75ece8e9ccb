# Updates of boxes: releases and how they are rolled out.
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
