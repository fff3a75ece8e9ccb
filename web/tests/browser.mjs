// A browser of its own for the tests: Debian's chromium, an own profile, nothing in the background.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

/** Where the running hub is. */
export const url = process.env.KULKUL_URL ?? 'http://127.0.0.1:8080'

/** The two widths that every page is tested at. */
export const phone = { width: 360, height: 740 }
export const desktop = { width: 1280, height: 900 }

/**
 * Opens a browser and gives contexts of it to `use`; everything is gone afterwards.
 * @param {(open: (options?: import('playwright-core').BrowserContextOptions) => Promise<import('playwright-core').Page>) => Promise<void>} use
 */
export async function withBrowser(use) {
  const profile = await mkdtemp(join(tmpdir(), 'kulkul-browser-'))
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', `--disk-cache-dir=${join(profile, 'cache')}`
    ]
  })
  try {
    await use(async (options = {}) => {
      const context = await browser.newContext({ viewport: desktop, locale: 'id-ID', baseURL: url, ...options })
      return context.newPage()
    })
  } finally {
    await browser.close()
    await rm(profile, { recursive: true, force: true })
  }
}
