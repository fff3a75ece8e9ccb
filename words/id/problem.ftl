### Ketika permintaan tidak dapat dijawab.
problem-title-400 = Permintaan tidak dapat dibaca
problem-title-401 = Anda belum masuk
problem-title-403 = Tidak diizinkan
problem-title-404 = Halaman ini tidak ada
problem-title-405 = Cara ini tidak berlaku di alamat ini
problem-title-409 = Bertabrakan dengan perubahan lain
problem-title-413 = Kiriman terlalu besar
problem-title-422 = Ada isian yang belum benar
problem-title-429 = Terlalu banyak permintaan
problem-title-500 = Ada yang rusak di pihak kami
problem-title-503 = Layanan sedang sibuk
problem-title-other = Permintaan ditolak
problem-incident = Kesalahan ini sudah tercatat. Coba lagi sebentar lagi; bila terulang, sebutkan kodenya kepada kami.
problem-code = Kode kejadian: { $code }
problem-home = Kembali ke peta

refusal-faults = Periksa isian yang disebut di bawah ini.
refusal-query-unknown = Parameter "{ $name }" tidak dikenal; mungkin maksudnya "{ $nearest }".
refusal-query-none = Parameter "{ $name }" tidak dikenal; alamat ini tidak menerima parameter.
refusal-query-value = Nilai "{ $name }" tidak dapat dipakai: { $detail }
refusal-query-choice = "{ $name }" berisi salah satu dari: { $choices }.
refusal-hub-silent = Layanan kabupaten tidak menjawab saat ini, dan isian ini tidak dikenal di sini. Periksa isian, atau coba lagi nanti.
refusal-way-in-closed = Cara masuk ini tidak dibuka di tempat ini.
refusal-challenge-unreadable = Itu bukan kode yang ditampilkan perangkat; kodenya delapan huruf dan angka, misalnya 7KQ4-M2XP.
