### Bingkai halaman: kepala, navigasi, kaki, dan waktu.
layout-skip = Langsung ke isi
layout-nav = Utama
layout-map = Peta
layout-sites = Tempat
layout-console = Konsol
layout-other-language = English
layout-sign-in = Masuk untuk petugas
layout-api = API
layout-footer = Angka di sini diukur dari tempatnya sendiri, setiap menit.

month-1 = Januari
month-2 = Februari
month-3 = Maret
month-4 = April
month-5 = Mei
month-6 = Juni
month-7 = Juli
month-8 = Agustus
month-9 = September
month-10 = Oktober
month-11 = November
month-12 = Desember

ago-seconds = { $n } detik lalu
ago-minutes = { $n } menit lalu
ago-hours = { $n } jam lalu
ago-days = { $n } hari lalu
