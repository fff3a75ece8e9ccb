// Takes the pictures of the documentation: node tests/shots.mjs [DIRECTORY], with KULKUL_URL set.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { closeBrowser, desktop, phone, withBrowser } from './browser.mjs'

const to = process.argv[2] ?? '../docs/img'
const shots = [
  ['home', '/', desktop, 'light', {}],
  ['home-dark', '/', desktop, 'dark', {}],
  ['home-phone', '/', phone, 'light', { fullPage: true }],
  ['sites', '/sites?sign=down&sort=since', desktop, 'light', {}],
  ['sites-phone', '/sites?q=banjar', phone, 'dark', {}],
  ['site', process.env.SITE ?? '/sites/BJ-001', desktop, 'light', {}],
  ['site-phone', process.env.SITE ?? '/sites/BJ-001', phone, 'light', { fullPage: true }],
  ['area', '/areas/51.03.02', desktop, 'light', {}]
]
const wanted = process.argv.slice(3)
await mkdir(to, { recursive: true })
await withBrowser(async (open) => {
  for (const [name, path, viewport, colorScheme, options] of shots) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    const page = await open({ viewport, colorScheme, javaScriptEnabled: process.env.JS !== 'off' })
    await page.goto(path, { waitUntil: 'load' })
    await page.waitForTimeout(process.env.JS === 'off' ? 0 : 700)
    await page.screenshot({ path: join(to, `${name}.png`), ...options })
    await page.context().close()
  }
})
await closeBrowser()
