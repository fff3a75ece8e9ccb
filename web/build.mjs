// Bundles the islands into dist/, which the hub builds in. Names stay plain: the hub adds the hash.
import { build } from 'esbuild'

await build({
  entryPoints: ['src/live.ts', 'src/map.ts'],
  outdir: 'dist',
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2020',
  legalComments: 'inline',
  logLevel: 'warning'
})
