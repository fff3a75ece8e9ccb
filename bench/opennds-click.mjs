// Walks openNDS's default theme as a browser does, and times from the last click to the first packet through.
import fs from "node:fs";
import http from "node:http";

const runs = Number(process.env.RUNS ?? 5);
// Without this header the packaged openNDS dies of a segmentation fault.
const headers = { "User-Agent": "Mozilla/5.0 (Linux; Android 14)" };
const get = (url, localAddress) =>
  new Promise((done) => {
    const ask = http.get(url, { localAddress, agent: false, timeout: 3000, headers }, (answer) => {
      let body = "";
      answer.on("data", (part) => (body += part)).on("end", () => done({ status: answer.statusCode, headers: answer.headers, body }));
    });
    ask.on("timeout", () => ask.destroy()).on("error", () => done({ status: 0, headers: {}, body: "" }));
  });
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

const clicks = [];
let portal = "";
for (let i = 1; i <= runs; i += 1) {
  const me = `10.77.1.${i}`;
  fs.writeFileSync("/tmp/dhcp.leases", `${Math.floor(Date.now() / 1000) + 9999} ${process.env.MAC} ${me} c *\n`);
  const first = await get("http://198.51.100.1/", me);
  portal = first.headers.location ?? "";
  if (!portal) break;
  const fas = new URL(portal).searchParams.get("fas");
  const base = "http://10.77.0.1:2050/opennds_preauth/";
  // Two pages follow the button: "thank you", whose own button logs in.
  const began = performance.now();
  await get(`${base}?fas=${encodeURIComponent(fas)}&continue=clicked`, me);
  await get(`${base}?fas=${encodeURIComponent(fas)}&landing=yes`, me);
  let through = false;
  while (!through && performance.now() - began < 15_000) {
    through = (await get("http://198.51.100.1/", me)).body === "outside\n";
  }
  if (through) clicks.push(performance.now() - began);
}
const began = performance.now();
let pages = 0;
while (portal && performance.now() - began < 5_000) {
  if ((await get(portal, "10.77.1.1")).status === 200) pages += 1;
  else break;
}
console.log(JSON.stringify({ peer: "openNDS", click_ms: clicks.length ? Math.round(median(clicks)) : null, clicks: clicks.length, portal_per_s: Math.round((pages * 1000) / (performance.now() - began) * 10) / 10 }));
