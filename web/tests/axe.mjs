// What a page complains about, and what axe finds wrong with it.
import { createRequire } from 'node:module'
import { readFile } from 'node:fs/promises'

const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Collects console errors, broken policy and failed requests; `missing` are addresses that answer 404 on purpose. */
export function listen(page, missing) {
  const complaints = []
  page.on('console', (m) => {
    if (m.type() !== 'error') return
    if (missing.test(m.location().url) && /status of 404/.test(m.text())) return
    complaints.push(m.text())
  })
  page.on('pageerror', (e) => complaints.push(e.message))
  return complaints
}

/** The violations of WCAG 2.2 AA and of good practice, one line each. */
export async function violations(page) {
  await page.evaluate(source)
  return page.evaluate(async () => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
    const found = await globalThis.axe.run(document, { runOnly: tags })
    if (found.passes.length < 8) throw new Error(`only ${found.passes.length} rules had anything to look at`)
    return found.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target} ${n.failureSummary}`).join(' | ')}`)
  })
}

/** The last elements that reach beyond the page's right edge, where nothing clips or scrolls them; none is good. */
export async function sideways(page) {
  return page.evaluate(() => {
    const room = document.documentElement.clientWidth
    const scrolls = (e) => e && (getComputedStyle(e).overflowX !== 'visible' || scrolls(e.parentElement))
    const wide = [...document.querySelectorAll('body *')].filter((e) =>
      e.getBoundingClientRect().right > room + 1 && !e.closest('svg svg, .leaflet-container') && !scrolls(e.parentElement))
    return wide.slice(-3).map((e) => `${e.tagName}.${e.className} +${Math.round(e.getBoundingClientRect().right - room)}: ${e.textContent.trim().slice(0, 60)}`)
  })
}

/** Texts that stand in so narrow a column that they break letter by letter; none is good. */
export async function squeezed(page) {
  return page.evaluate(() => {
    const own = (e) => [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.textContent.trim()).join('')
    const tight = [...document.querySelectorAll('body *:not(svg *)')].filter((e) => {
      const box = e.getBoundingClientRect()
      return own(e).length > 3 && !e.closest('thead, .unseen') && box.width < 32 && box.height > 3 * parseFloat(getComputedStyle(e).fontSize)
    })
    return tight.slice(0, 3).map((e) => `${e.tagName}.${e.className}: ${own(e).slice(0, 40)}`)
  })
}
