# Pembaruan gateway: rilis dan peluncurannya.
refusal-release-unreadable = Ini bukan surat rilis: { $why }
refusal-release-no-file = Program { $sha256 } tidak ada di map updates milik pusat, atau tidak utuh. Ambillah dengan kulkul update take.
refusal-release-other = Program ini sudah dirilis sebagai { $version } untuk { $target }. Tanda tangani program lain, atau biarkan yang itu.
refusal-release-unknown = Pusat tidak memiliki rilis itu.
refusal-release-in-use = Gateway sudah diberi tahu tentang rilis ini, menjalankannya, atau segera menjalankannya; rilis ini tetap disimpan.
refusal-rollout-unknown = Tidak ada peluncuran { $number }.
refusal-rollout-state = { $state ->
    [running] Peluncuran ini berjalan, atau sudah digantikan yang lebih baru.
    [paused] Peluncuran ini dijeda, atau sudah digantikan yang lebih baru.
    [done] Peluncuran ini selesai, atau sudah digantikan yang lebih baru.
   *[stopped] Peluncuran ini sudah dihentikan.
  } Muat ulang halaman ini.
refusal-rollout-version = Pusat tidak memiliki rilis versi "{ $version }". Ambillah dengan kulkul update take.
refusal-rollout-stages = Isi 1 sampai { $most } tahap.
refusal-rollout-scopes = Satu tahap menyebut 1 sampai { $most } cakupan.
refusal-rollout-twice = { $scope } disebut dua kali.
refusal-rollout-quiet = Tulis jam sepi seperti 02:00-05:00.
refusal-rollout-wait = Satu tahap diamati paling lama { $most } jam.
refusal-rollout-most-undone = Isi angka dari 1 sampai { $most }.
act-take = mengambil
act-begin = memulai
act-pause = menjeda
act-resume = melanjutkan
act-stop = menghentikan
act-advance = maju dalam
act-finish = menyelesaikan
noun-release = rilis
noun-rollout = peluncuran
field-version = Versi
field-stages = Tahap
field-at-once = Seketika
field-wait-hours = Jam mengamati satu tahap
field-most-undone = Gateway gagal yang menjedanya
field-place = Titik
field-bytes = Bita
field-sha256 = Sidik
field-signed-at = Ditandatangani
field-key = Kunci
