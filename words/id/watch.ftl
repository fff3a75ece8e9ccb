# Pemantauan: ketersediaan dan gangguan.
refusal-range-wrong = Rentang waktu harus berurutan dan paling lama { $days } hari untuk langkah ini.
refusal-cursor-wrong = Penanda halaman ini bukan dari daftar ini.
