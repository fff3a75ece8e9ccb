// Every public page, on a phone and on a desk, in both languages, light and dark, with and without JavaScript.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { listen, sideways, squeezed, violations } from './axe.mjs'
import { closeBrowser, desktop, phone, url, withBrowser } from './browser.mjs'

after(closeBrowser)

const sites = await (await fetch(`${url}/api/v1/sites?limit=1`)).json()
const areas = await (await fetch(`${url}/api/v1/areas`)).json()
const site = sites.items[0].code
const district = areas.items.find((a) => a.kind === 'district').code
const island = areas.items.find((a) => a.kind === 'island')?.code
const staffPages = (await fetch(`${url}/console/sign-in`)).ok ? ['/console/sign-in'] : []
const routes = [
  '/', '/?sign=down', '/sites', '/sites?q=banjar&sort=since', '/sites?q=zzzzzz', `/sites/${site}`, '/sites/BJ-99999',
  `/areas/${district}`, `/areas/${areas.items.find((a) => a.kind === 'village').code}`,
  `/areas/${areas.items.find((a) => a.kind === 'regency').code}`, '/areas/99.99', '/nothing-here',
  ...staffPages,
  ...(island ? [`/areas/${island}`] : [])
]

/** Addresses that answer 404 on purpose. */
const missing = /99999|99\.99|nothing-here/

/** A stand-in for the event stream, so that each test says itself what happens. */
async function quietEvents(page) {
  await page.route('**/api/v1/events', (route) =>
    route.fulfill({ contentType: 'text/event-stream', body: 'retry: 60000\n\n: quiet\n\n' }))
}

for (const path of routes) {
  test(`no page is hard to use: ${path}`, async () => {
    await withBrowser(async (open) => {
      for (const [viewport, lang] of [[phone, 'id'], [desktop, 'en']]) {
        const page = await open({ viewport, colorScheme: 'light', reducedMotion: 'reduce' })
        await quietEvents(page)
        const complaints = listen(page, missing)
        await page.goto(path + (path.includes('?') ? '&' : '?') + `lang=${lang}`, { waitUntil: 'load' })
        assert.equal(await page.getAttribute('html', 'lang'), lang)
        for (const colorScheme of ['light', 'dark']) {
          await page.emulateMedia({ colorScheme })
          const where = `${path} ${viewport.width} ${lang} ${colorScheme}`
          assert.deepEqual(await violations(page), [], where)
          assert.deepEqual(await sideways(page), [], `${where} scrolls sideways`)
          assert.deepEqual(await squeezed(page), [], `${where} breaks words into letters`)
          assert.deepEqual(complaints, [], where)
        }
      }
    })
  })
}

test('without JavaScript the front page is whole and its chips filter', async () => {
  await withBrowser(async (open) => {
    const page = await open({ viewport: phone, javaScriptEnabled: false })
    await page.goto('/')
    const all = await page.locator('.points > a').count()
    assert.equal(all, (await (await fetch(`${url}/api/v1/sites?limit=1000`)).json()).items.length)
    const title = await page.locator('.points > a > title').first().textContent()
    assert.match(title ?? '', /.+: .+/)
    await page.locator('.chip').first().click()
    assert.match(page.url(), /\?sign=\w+$/)
    assert.equal(await page.locator('.chip[aria-current]').count(), 1)
    assert.match(await page.getAttribute('svg.regency', 'class') ?? '', /only-/)
    await page.locator('.bars a').first().click()
    assert.match(page.url(), /\/sites\?category=/)
    await page.fill('#q', 'petang')
    await page.click('form button')
    assert.match(page.url(), /q=petang/)
    await page.locator('.sites th a').first().click()
    assert.match(page.url(), /\/sites\/[A-Z]+-\d+$/)
    assert.equal(await page.locator('.badge').count(), 1)
  })
})

test('every site is reached by paging forward, once each, and back again', async () => {
  await withBrowser(async (open) => {
    const page = await open({ javaScriptEnabled: false })
    await page.goto('/sites?area=' + district)
    const first = await page.locator('.sites th a').first().textContent()
    const seen = new Set()
    for (;;) {
      for (const href of await page.locator('.sites th a').evaluateAll((all) => all.map((a) => a.getAttribute('href')))) {
        assert.ok(!seen.has(href), `${href} twice`)
        seen.add(href)
      }
      if (await page.locator('[rel=next]').count() === 0) break
      await page.click('[rel=next]')
    }
    const total = areas.items.find((a) => a.code === district).sites.total
    assert.equal(seen.size, total)
    while (await page.locator('[rel=prev]').count() > 0) await page.click('[rel=prev]')
    assert.equal(await page.locator('.sites th a').first().textContent(), first)
  })
})

test('a keyboard alone gets from the top of the front page into a place', async () => {
  await withBrowser(async (open) => {
    const page = await open()
    await quietEvents(page)
    await page.goto('/')
    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate(() => document.activeElement?.className), 'skip')
    await page.keyboard.press('Enter')
    const stops = []
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press('Tab')
      const stop = await page.evaluate(() => {
        const e = document.activeElement
        const box = e?.getBoundingClientRect()
        return { href: e?.getAttribute('href') ?? '', outline: e ? getComputedStyle(e).outlineStyle : '', height: box?.height ?? 0 }
      })
      stops.push(stop)
      if (/^\/sites\/[A-Z]+-\d+$/.test(stop.href)) break
    }
    const last = stops.at(-1)
    assert.match(last?.href ?? '', /^\/sites\/[A-Z]+-\d+$/, 'a place is at most 60 stops away')
    assert.equal(last?.outline, 'solid', 'the stop is visible')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/sites\/[A-Z]+-\d+$/)
  })
})

test('the front page costs at most 150 kB in all, compressed and uncached', async () => {
  await withBrowser(async (open) => {
    const page = await open({ viewport: phone })
    await quietEvents(page)
    const session = await page.context().newCDPSession(page)
    await session.send('Network.enable')
    let bytes = 0
    const parts = []
    const names = new Map()
    session.on('Network.responseReceived', (e) => names.set(e.requestId, e.response.url))
    session.on('Network.loadingFinished', (e) => {
      bytes += e.encodedDataLength
      parts.push(`${names.get(e.requestId)} ${e.encodedDataLength}`)
    })
    await page.goto('/', { waitUntil: 'load' })
    await page.locator('.map').scrollIntoViewIfNeeded()
    await page.waitForSelector('.canvas, .regency')
    await page.waitForLoadState('networkidle')
    console.log(`# / costs ${bytes} bytes: ${parts.join(', ')}`)
    assert.ok(bytes > 5_000 && bytes <= 150_000, `${bytes}: ${parts.join(', ')}`)
  })
})

test('a point changes its sign when the event comes, in picture and on canvas', async () => {
  await withBrowser(async (open) => {
    const page = await open()
    const complaints = listen(page, missing)
    let told = ''
    await page.route('**/api/v1/events', (route) =>
      route.fulfill({ contentType: 'text/event-stream', body: `retry: 500\n\n${told}` }))
    await page.goto('/')
    await page.waitForSelector('.canvas canvas')
    const point = async () => {
      const canvas = await page.locator('.canvas canvas').screenshot()
      return canvas.toString('base64')
    }
    const before = await point()
    for (const item of sites.items) {
      const next = item.observed === 'down' ? 'up' : 'down'
      told += `event: site\ndata: ${JSON.stringify({ code: item.code, sign: next, observed: next, since: null, seen_at: null })}\n\n`
    }
    const limit = Date.now() + 10_000
    while ((await point()) === before && Date.now() < limit) await page.waitForTimeout(100)
    assert.notEqual(await point(), before)
    assert.deepEqual(complaints, [])
  })
})

test('a page that hears nothing says that its data is old', async () => {
  await withBrowser(async (open) => {
    const page = await open()
    await page.clock.install()
    await quietEvents(page)
    await page.goto('/')
    await page.route(url + '/?map=off', (route) => route.abort())
    assert.equal(await page.isVisible('#live-note'), false)
    await page.clock.runFor(200_000)
    await page.waitForSelector('#live-note:not([hidden])', { timeout: 5_000 })
    assert.ok((await page.textContent('#live-note'))?.includes('tiga menit'))
  })
})
