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

let running

/** The one browser of this test file. */
async function browser() {
  if (running) return running.browser
  const profile = await mkdtemp(join(tmpdir(), 'kulkul-browser-'))
  const started = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', `--disk-cache-dir=${join(profile, 'cache')}`
    ]
  })
  running = { browser: started, profile }
  return started
}

/** Ends the browser and removes what it left; call it when all tests of a file are done. */
export async function closeBrowser() {
  if (!running) return
  await running.browser.close()
  await rm(running.profile, { recursive: true, force: true })
  running = undefined
}

/**
 * Gives `use` a way to open pages, each with cookies and cache of its own; they are closed afterwards.
 * @param {(open: (options?: import('playwright-core').BrowserContextOptions) => Promise<import('playwright-core').Page>) => Promise<void>} use
 */
export async function withBrowser(use) {
  const contexts = []
  try {
    await use(async (options = {}) => {
      const context = await (await browser()).newContext({ viewport: desktop, locale: 'id-ID', baseURL: url, ...options })
      contexts.push(context)
      return context.newPage()
    })
  } finally {
    for (const context of contexts) await context.close()
  }
}
