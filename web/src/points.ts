// The points of the map as the server drew them: read once, then changed by events.

/** One of the six signs; the same names as in style sheet, queries and API. */
export type Sign = 'up' | 'degraded' | 'down' | 'unknown' | 'closed' | 'not_in_service'

export const SIGNS: readonly Sign[] = ['up', 'degraded', 'down', 'unknown', 'closed', 'not_in_service']

/** A site on the map; `x` and `y` are in the units of the picture's view box. */
export interface Point {
  readonly code: string
  readonly name: string
  readonly known: boolean
  readonly x: number
  readonly y: number
  readonly link: SVGAElement
  sign: Sign
}

export function isSign(text: string): text is Sign {
  return (SIGNS as readonly string[]).includes(text)
}

/** Reads all points of a picture, by site code. */
export function readPoints(svg: SVGSVGElement): Map<string, Point> {
  const points = new Map<string, Point>()
  for (const link of svg.querySelectorAll<SVGAElement>('.points > a')) {
    const use = link.querySelector('use')
    const sign = [...link.classList].find(isSign)
    if (!use || !sign) continue
    const moved = /translate\((-?[\d.]+) (-?[\d.]+)\)/.exec(use.getAttribute('transform') ?? '')
    points.set(codeOf(link), {
      code: codeOf(link),
      name: (link.querySelector('title')?.textContent ?? '').replace(/: [^:]*$/, ''),
      known: link.classList.contains('known'),
      x: Number(moved?.[1] ?? use.getAttribute('x')),
      y: Number(moved?.[2] ?? use.getAttribute('y')),
      link,
      sign
    })
  }
  return points
}

function codeOf(link: SVGAElement): string {
  return link.getAttribute('href')?.split('/').pop() ?? ''
}

/** Gives a point another sign, in the picture too. */
export function setSign(point: Point, sign: Sign, word: string): void {
  point.link.classList.replace(point.sign, sign)
  point.sign = sign
  point.link.querySelector('use')?.setAttribute('href', `#s-${sign}`)
  const title = point.link.querySelector('title')
  if (title) title.textContent = `${point.name}: ${word}`
}
