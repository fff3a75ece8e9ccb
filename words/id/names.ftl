# Kata-kata portal tentang nama yang tidak dijawab di suatu tempat.
names-blocked-heading = Tidak dibuka di sini
names-heading = Nama yang tidak dibuka di sini
names-blocked = { $name } tidak dibuka di tempat ini: nama itu ada di daftar “{ $list }” per { $day } { $year }.
names-blocked-here = { $name } tidak dibuka di tempat ini.
names-appeal = Apakah ini keliru? Sampaikan kepada { $where }.
names-appeal-here = Apakah ini keliru? Sampaikan kepada penanggung jawab tempat ini.
names-lead = Jika sebuah halaman tidak terbuka, cari namanya di sini. Halaman https tidak dapat memberitahukannya sendiri.
names-open = { $name } tidak ada di daftar tempat ini.
names-label = Nama halaman
names-send = Cari
names-portal = Ke halaman jaringan ini
