# The portal's words about names that a place does not answer.
names-blocked-heading = Not opened here
names-heading = Which names are not opened here
names-blocked = { $name } is not opened at this place: it is on the list “{ $list }” of { $day } { $year }.
names-blocked-here = { $name } is not opened at this place.
names-appeal = Is that a mistake? Tell { $where }.
names-appeal-here = Is that a mistake? Tell the people who look after this place.
names-lead = If a page does not open, look its name up here. Pages that begin with https cannot say so themselves.
names-open = { $name } is on no list of this place.
names-label = Name of the page
names-send = Look it up
names-portal = To this network's page
