### The register: what its rules refuse and how to mend it; imports and their summaries.

import-row = row { $n }
import-line = line { $n }
import-column = column "{ $name }"
import-value = value "{ $value }"
import-more = ... and { $n ->
    [one] { $n } more
   *[other] { $n } more
}.
import-refused = { $file }: { $n ->
    [one] { $n } fault. Nothing was changed.
   *[other] { $n } faults. Nothing was changed.
}
import-done = { $file }: { $added } added, { $changed } changed, { $unchanged } unchanged.
import-would = { $file }: the file is sound. It would add { $added }, change { $changed } and leave { $unchanged } as they are. Nothing was changed.

refusal-note-cp1252 = The file is not UTF-8; it was read as Windows-1252. Check names with accents.
refusal-note-count = Category { $category }: { $expected } places were announced, the register has { $found }.
refusal-note-kept = Columns that the file does not have were left as they are: { $columns }.
refusal-note-surveyed = Surveyed positions that the file would have replaced by unsurveyed ones were kept: { $n }.
refusal-note-absent = Places of the register that the file does not name were left as they are: { $n }.

refusal-file-too-big = The file is larger than { $mb } MB. Split it.
refusal-file-too-long = The file has more than { $most } rows. Split it.
refusal-file-empty = The file is empty. It needs a row of column names and rows below it.
refusal-file-not-text = This is not a CSV, XLSX or GeoJSON file. Save the table as one of these.
refusal-file-old-excel = This is an old Excel file (.xls). Save it as .xlsx or CSV.
refusal-quote-open = A quotation mark opens here and is never closed. Close it, or write "" for a mark inside a text.
refusal-xlsx-broken = The workbook cannot be read ({ $detail }). Open it in a spreadsheet and save it again.
refusal-xlsx-bomb = The workbook unpacks to more than 400 MB. Keep only the sheet that is to be imported.
refusal-geojson-broken = This is not GeoJSON of points or polygons ({ $detail }).
refusal-geojson-kind = The file is a "{ $kind }". Give a FeatureCollection.
refusal-geojson-point = A position is not [longitude, latitude] in degrees.
refusal-ring-open = A ring of the shape is open or has fewer than four positions. Repeat its first position at its end.
refusal-row-too-wide = The row has { $n } cells; { $most } is the most.
refusal-row-ragged = The row has { $n } cells, the header has { $columns }. Put texts with commas or semicolons into quotation marks.
refusal-column-missing = The file has no such column. Add it.
refusal-column-twice = The file has the column { $column } twice. Remove one.
refusal-column-unknown = No such column is known. Known are: { $known }.
refusal-column-unknown-near = No such column is known. Did you mean "{ $near }"?
refusal-cell-empty = The cell is empty. Fill it in.
refusal-number-wrong = This is not a number of degrees. Write it like -8.72614 or -8,72614.
refusal-whole-wrong = This is not a whole number. Write digits only, like 15000.
refusal-yes-or-no = Write yes or no.
refusal-code-twice = Row { $row } has the same code. Each code may stand in the file once.

refusal-name-empty = The name is empty. Fill it in.
refusal-text-too-long = The text has { $n } characters; { $most } is the most.
refusal-text-control = The text has a line break or another control character. Remove it.
refusal-rate-range = A rate lies between 64 and 10,000,000 kbit/s.
refusal-prefix-wrong = Codes of { $category } begin with { $prefix }-. Mend the code or the category.
refusal-prefix-taken = Category { $category } already has this prefix.
refusal-prefix-form = A prefix is one to three capitals or digits, like BJ.
refusal-within-unknown = Write desa or kelurahan, or leave the cell empty.
refusal-category-key-wrong = A category's key has lower-case letters, digits and _ only, like sd_negeri.
refusal-category-none = The register has no categories yet. Import them first: kulkul import categories FILE.
refusal-category-unknown = No such category. Known are: { $known }.
refusal-category-unknown-near = No such category. Did you mean "{ $near }"?
refusal-site-code-wrong = This is not a code like BJ-001: capitals, a hyphen, digits.
refusal-stage-unknown = No such stage. Known are: { $known }.
refusal-stage-unknown-near = No such stage. Did you mean "{ $near }"?
refusal-quality-unknown = Write sourced, name-only or placeholder.
refusal-position-quality-unknown = Write sourced, surveyed or approximate.
refusal-name-quality-unknown = Write sourced or placeholder.

refusal-area-code-wrong = This is not an area code like 51.03.01.1002. In a spreadsheet, format the column as text.
refusal-area-unknown = The register has no such area. Import areas first, or mend the code.
refusal-area-unknown-near = The register has no such area. Did you mean { $near } ({ $name })?
refusal-area-not-village = { $name } is a { $kind }; a place lies in a village. Give the village's code.
refusal-area-wrong-kind = { $name } is a { $kind }, but places of { $category } lie in a { $wanted }.
refusal-area-loop = Following the parents from here comes back to the same area. Mend a parent.
refusal-parent-unknown = Neither the file nor the register has this parent.
refusal-parent-unknown-near = Neither the file nor the register has this parent. Did you mean { $near }?
refusal-parent-kind = { $parent } is a { $kind } and cannot hold this area.
refusal-kind-unknown = Write kabupaten, kecamatan, desa, kelurahan, banjar, lingkungan or pulau.
refusal-kind-by-code = By its code { $code } is a { $wanted }.
refusal-centre-outside = The centre of { $name } lies outside its boundary.
refusal-boundary-format = The file has no shapes. Boundaries come as GeoJSON polygons.
refusal-boundary-area = The register has no area with this code. Import areas first.
refusal-boundary-missing = The feature has no polygon.

refusal-position-range = Latitude lies between -90 and 90, longitude between -180 and 180.
refusal-position-swapped = Latitude and longitude are swapped. Write lat { $lat }, lon { $lon }.
refusal-position-sign = The minus sign is missing: Bali lies south of the equator. Write { $lat }.
refusal-position-outside = The point lies outside the region (lat { $south } to { $north }, lon { $west } to { $east }).
refusal-position-outside-village = The point lies { $metres } m outside { $village }.
refusal-position-other-village = The point lies { $metres } m outside { $village }, in { $other } ({ $code }). Mend the point or the area.
refusal-position-taken = { $site } is at exactly the same point.
refusal-name-taken = { $site } has the same name, category and area.

refusal-site-exists = The register already has a place { $code }.
refusal-site-changed = Somebody else changed { $code } meanwhile. Look at it again, then repeat your change.
refusal-import-running = An import is being written. Try again in a moment.
