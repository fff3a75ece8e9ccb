### Suara warga: yang dikatakan orang tentang layanan.
report-site = Tempat
report-said = Kata warga
report-at = Dikirim
report-undated = Waktunya belum diketahui
report-received = tiba { $when }
report-number = no. { $number }
report-empty = Tidak ada laporan seperti itu.
report-waiting = { $n ->
    [0] Tidak ada laporan yang menunggu dilihat.
   *[other] { $n } laporan menunggu dilihat.
}
report-status = Status
report-status-new = Baru
report-status-seen = Sudah dilihat
report-status-done = Selesai
report-mark-new = Buka lagi
report-mark-seen = Tandai dilihat
report-mark-done = Tandai selesai
report-kind-no-internet = Internet tidak jalan
report-kind-slow = Lambat
report-kind-cannot-log-in = Tidak bisa menyambung di portal
report-kind-equipment-damaged = Alat rusak
report-kind-other = Lainnya
refusal-report-unknown = Laporan itu tidak ada.
refusal-report-status-unknown = Laporan berstatus baru, dilihat, atau selesai.
