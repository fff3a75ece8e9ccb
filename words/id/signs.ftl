### Tanda, keadaan, tahap, dan mutu: kata yang selalu menyertai bentuk dan warna.
sign-up = Menyala
sign-degraded = Lambat
sign-down = Mati
sign-unknown = Tak terpantau
sign-closed = Ditutup
sign-not-in-service = Belum beroperasi

stage-planned = Direncanakan
stage-surveyed = Sudah disurvei
stage-delivered = Perangkat sudah tiba
stage-installed = Sudah dipasang
stage-tested = Sudah diuji
stage-accepted = Sudah diterima
stage-in-service = Beroperasi
stage-suspended = Dihentikan sementara
stage-relocated = Dipindahkan
stage-retired = Tidak dipakai lagi

position-quality-sourced = Dari sumber yang disebut di bawah
position-quality-surveyed = Disurvei di tempat
position-quality-approximate = Perkiraan

name-quality-sourced = Dari sumber yang disebut di bawah
name-quality-placeholder = Nama sementara

since-today = sejak { $clock }
since-yesterday = sejak kemarin { $clock }
since-date = sejak { $date } { $clock }

weekday-1 = Senin
weekday-2 = Selasa
weekday-3 = Rabu
weekday-4 = Kamis
weekday-5 = Jumat
weekday-6 = Sabtu
weekday-7 = Minggu
