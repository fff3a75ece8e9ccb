### When a request cannot be answered.
problem-title-400 = The request cannot be read
problem-title-401 = You are not signed in
problem-title-403 = Not allowed
problem-title-404 = This page does not exist
problem-title-405 = This method does not work at this address
problem-title-409 = It collides with another change
problem-title-413 = What was sent is too large
problem-title-422 = Something in the form is not right yet
problem-title-429 = Too many requests
problem-title-500 = Something broke on our side
problem-title-503 = The service is busy
problem-title-other = The request was refused
problem-incident = This error is on record. Try again in a moment; if it happens again, tell us its code.
problem-code = Incident code: { $code }
problem-home = Back to the map

refusal-faults = Check the entries named below.
refusal-query-unknown = The parameter "{ $name }" is not known; perhaps "{ $nearest }" was meant.
refusal-query-none = The parameter "{ $name }" is not known; this address takes no parameters.
refusal-query-value = The value of "{ $name }" cannot be used: { $detail }
refusal-query-choice = "{ $name }" takes one of: { $choices }.
refusal-hub-silent = The service does not answer at the moment, and this is not known here. Check what you typed, or try again later.
refusal-way-in-closed = This way in is not open at this place.
refusal-challenge-unreadable = That is not a code that a box shows; it has eight letters and digits, such as 7KQ4-M2XP.
