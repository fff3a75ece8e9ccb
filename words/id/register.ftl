### Register: apa yang ditolak aturannya dan cara membetulkannya; impor dan ringkasannya.

import-row = baris { $n }
import-line = baris teks { $n }
import-column = kolom "{ $name }"
import-value = isi "{ $value }"
import-more = ... dan { $n } lagi.
import-refused = { $file }: { $n } kesalahan. Tidak ada yang diubah.
import-done = { $file }: { $added } ditambahkan, { $changed } diubah, { $unchanged } tetap.
import-would = { $file }: berkas ini baik. Impor akan menambahkan { $added }, mengubah { $changed }, dan membiarkan { $unchanged } apa adanya. Belum ada yang diubah.

refusal-note-cp1252 = Berkas ini bukan UTF-8 dan dibaca sebagai Windows-1252. Periksa nama yang memakai huruf khusus.
refusal-note-count = Kategori { $category }: diumumkan { $expected } lokasi, di register ada { $found }.
refusal-note-kept = Kolom yang tidak ada di berkas dibiarkan apa adanya: { $columns }.
refusal-note-surveyed = Koordinat hasil survei yang akan tertimpa koordinat tanpa survei tetap dipertahankan: { $n }.
refusal-note-absent = Lokasi di register yang tidak disebut di berkas dibiarkan apa adanya: { $n }.

refusal-file-too-big = Berkas lebih besar dari { $mb } MB. Bagi menjadi beberapa berkas.
refusal-file-too-long = Berkas berisi lebih dari { $most } baris. Bagi menjadi beberapa berkas.
refusal-file-empty = Berkas kosong. Isilah satu baris nama kolom dan baris-baris data di bawahnya.
refusal-file-not-text = Ini bukan berkas CSV, XLSX, atau GeoJSON. Simpan tabel dalam salah satu bentuk itu.
refusal-file-old-excel = Ini berkas Excel lama (.xls). Simpan sebagai .xlsx atau CSV.
refusal-quote-open = Tanda kutip dibuka di sini tetapi tidak pernah ditutup. Tutuplah, atau tulis "" untuk tanda kutip di dalam teks.
refusal-xlsx-broken = Buku kerja tidak dapat dibaca ({ $detail }). Buka di program lembar kerja lalu simpan lagi.
refusal-xlsx-bomb = Isi buku kerja lebih dari 400 MB setelah dibuka. Sisakan hanya lembar yang akan diimpor.
refusal-geojson-broken = Ini bukan GeoJSON berisi titik atau poligon ({ $detail }).
refusal-geojson-kind = Berkas ini berjenis "{ $kind }". Berikan FeatureCollection.
refusal-geojson-point = Ada koordinat yang bukan [bujur, lintang] dalam derajat.
refusal-ring-open = Ada cincin poligon yang terbuka atau kurang dari empat titik. Ulangi titik pertamanya di akhir.
refusal-row-too-wide = Baris ini berisi { $n } sel; paling banyak { $most }.
refusal-row-ragged = Baris ini berisi { $n } sel, sedangkan judul kolomnya { $columns }. Apit teks yang memuat koma atau titik koma dengan tanda kutip.
refusal-column-missing = Kolom ini tidak ada di berkas. Tambahkan.
refusal-column-twice = Kolom { $column } muncul dua kali. Hapus salah satunya.
refusal-column-unknown = Kolom ini tidak dikenal. Yang dikenal: { $known }.
refusal-column-unknown-near = Kolom ini tidak dikenal. Apakah maksudnya "{ $near }"?
refusal-cell-empty = Sel ini kosong. Isilah.
refusal-number-wrong = Ini bukan angka derajat. Tulis seperti -8.72614 atau -8,72614.
refusal-whole-wrong = Ini bukan bilangan bulat. Tulis angka saja, misalnya 15000.
refusal-yes-or-no = Tulis ya atau tidak.
refusal-code-twice = Baris { $row } memakai kode yang sama. Setiap kode hanya boleh muncul satu kali.

refusal-name-empty = Nama kosong. Isilah.
refusal-text-too-long = Teks ini { $n } karakter; paling banyak { $most }.
refusal-text-control = Teks ini memuat ganti baris atau karakter kendali. Hapuslah.
refusal-rate-range = Kecepatan harus antara 64 dan 10.000.000 kbit/s.
refusal-prefix-wrong = Kode { $category } diawali { $prefix }-. Betulkan kodenya atau kategorinya.
refusal-prefix-taken = Awalan ini sudah dipakai kategori { $category }.
refusal-prefix-form = Awalan terdiri dari satu sampai tiga huruf kapital atau angka, misalnya BJ.
refusal-within-unknown = Tulis desa atau kelurahan, atau kosongkan.
refusal-category-key-wrong = Kunci kategori hanya memuat huruf kecil, angka, dan _, misalnya sd_negeri.
refusal-category-none = Register belum memiliki kategori. Impor dahulu: kulkul import categories FILE.
refusal-category-unknown = Kategori ini tidak ada. Yang ada: { $known }.
refusal-category-unknown-near = Kategori ini tidak ada. Apakah maksudnya "{ $near }"?
refusal-site-code-wrong = Ini bukan kode seperti BJ-001: huruf kapital, tanda hubung, angka.
refusal-stage-unknown = Tahap ini tidak ada. Yang ada: { $known }.
refusal-stage-unknown-near = Tahap ini tidak ada. Apakah maksudnya "{ $near }"?
refusal-quality-unknown = Tulis sourced, name-only, atau placeholder.
refusal-position-quality-unknown = Tulis sourced, surveyed, atau approximate.
refusal-name-quality-unknown = Tulis sourced atau placeholder.

refusal-area-code-wrong = Ini bukan kode wilayah seperti 51.03.01.1002. Di lembar kerja, atur kolomnya sebagai teks.
refusal-area-unknown = Wilayah ini tidak ada di register. Impor wilayah lebih dahulu, atau betulkan kodenya.
refusal-area-unknown-near = Wilayah ini tidak ada di register. Apakah maksudnya { $near } ({ $name })?
refusal-area-not-village = { $name } adalah { $kind }; lokasi harus berada di desa atau kelurahan. Tulis kode desa atau kelurahannya.
refusal-area-wrong-kind = { $name } adalah { $kind }, padahal { $category } harus berada di { $wanted }.
refusal-area-loop = Rantai induk dari sini kembali ke wilayah yang sama. Betulkan salah satu induknya.
refusal-parent-unknown = Induk ini tidak ada di berkas maupun di register.
refusal-parent-unknown-near = Induk ini tidak ada di berkas maupun di register. Apakah maksudnya { $near }?
refusal-parent-kind = { $parent } adalah { $kind } dan tidak dapat membawahi wilayah ini.
refusal-kind-unknown = Tulis kabupaten, kecamatan, desa, kelurahan, banjar, lingkungan, atau pulau.
refusal-kind-by-code = Menurut kodenya, { $code } adalah { $wanted }.
refusal-centre-outside = Titik tengah { $name } berada di luar batasnya.
refusal-boundary-format = Berkas ini tidak memuat batas. Batas wilayah berupa poligon GeoJSON.
refusal-boundary-area = Register tidak memiliki wilayah dengan kode ini. Impor wilayah lebih dahulu.
refusal-boundary-missing = Fitur ini tidak memiliki poligon.

refusal-position-range = Lintang antara -90 dan 90, bujur antara -180 dan 180.
refusal-position-swapped = Lintang dan bujur tertukar. Tulis lintang (lat) { $lat }, bujur (lon) { $lon }.
refusal-position-sign = Tanda minus hilang: Bali berada di selatan khatulistiwa. Tulis { $lat }.
refusal-position-outside = Titik ini di luar daerah (lintang { $south } sampai { $north }, bujur { $west } sampai { $east }).
refusal-position-outside-village = Titik ini { $metres } m di luar { $village }.
refusal-position-other-village = Titik ini { $metres } m di luar { $village }, yaitu di { $other } ({ $code }). Betulkan titiknya atau wilayahnya.
refusal-position-taken = { $site } berada di titik yang persis sama.
refusal-name-taken = { $site } memakai nama, kategori, dan wilayah yang sama.

refusal-site-exists = Lokasi { $code } sudah ada di register.
refusal-site-changed = { $code } baru saja diubah orang lain. Lihat lagi, lalu ulangi perubahan Anda.
refusal-import-running = Sebuah impor sedang ditulis. Coba lagi sebentar lagi.
