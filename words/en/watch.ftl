# Watch: availability and outages.
refusal-range-wrong = The range must run forward and be at most { $days } days for this step.
refusal-cursor-wrong = This cursor is not one of this list.
