### The frame of pages: head, navigation, foot, and time.
layout-skip = Skip to the content
layout-nav = Main
layout-map = Map
layout-sites = Places
layout-console = Console
layout-other-language = Bahasa Indonesia
layout-sign-in = Staff sign-in
layout-api = API
layout-footer = The figures here are measured at the place itself, every minute.

month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December

ago-seconds = { $n ->
    [one] { $n } second ago
   *[other] { $n } seconds ago
}
ago-minutes = { $n ->
    [one] { $n } minute ago
   *[other] { $n } minutes ago
}
ago-hours = { $n ->
    [one] { $n } hour ago
   *[other] { $n } hours ago
}
ago-days = { $n ->
    [one] { $n } day ago
   *[other] { $n } days ago
}
