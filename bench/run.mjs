// Runs the benchmarks named on the command line and prints one table.
//
// A figure is the median of several runs where the part says so. CPU time is read from /proc, so that a
// shared machine disturbs it less than wall time. Nothing here decides whether the tests pass.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const kulkul = process.env.KULKUL ?? "target/release/kulkul";
const out = "target/bench";
const rows = [];
fs.mkdirSync(out, { recursive: true });

const row = (what, measured, bar, met, more = "") => rows.push({ what, measured, bar, met, more });
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const run = (command, args, options = {}) => execFileSync(command, args, { encoding: "utf8", maxBuffer: 1 << 26, ...options });

// Processor time in milliseconds and memory in MiB of a process.
const ticks = Number(run("getconf", ["CLK_TCK"]));
function cpuMs(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /, "").split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticks;
}
const rssMiB = (pid) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;

async function until(what, seconds, ask) {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const answer = await ask().catch(() => null);
    if (answer) return answer;
    await wait(50);
  }
  throw new Error(`${what} did not happen in ${seconds} s`);
}

function wrk(url, connections, seconds, headers = [], inside = []) {
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, ...headers.flatMap((h) => ["-H", h]), url];
  const [command, ...rest] = [...inside, "wrk", ...args];
  const text = run(command, rest);
  const bad = /Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? /Socket errors: .*/.exec(text)?.[0] ?? "";
  return { perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)[1]), bad };
}

// The hub's own figures, by name without the prefix.
async function figures(port) {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return (name) => Number(new RegExp(`^kulkul_${name}(?:_total)? (\\d+)$`, "m").exec(text)?.[1]);
}

// Brings the register of N places into a database, or into a running hub: whichever the settings name.
function register(config, dir, places) {
  for (const [kind, file] of [["areas", "areas.csv"], ["boundaries", "boundaries.geojson"], ["categories", "categories.csv"], ["sites", "sites.csv"]]) {
    run(kulkul, ["import", kind, `data/badung/${file}`, "--config", config]);
  }
  if (places > 987) {
    const invented = path.join(dir, "invented.csv");
    fs.writeFileSync(invented, run(kulkul, ["fleet", "--invent-sites", String(places)]));
    run(kulkul, ["import", "categories", "bench/invented-category.csv", "--config", config]);
    run(kulkul, ["import", "sites", invented, "--config", config]);
  }
}

// A hub of its own on a temporary directory, with the register of N places; 0 leaves it empty.
async function hub(places, port) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "kulkul-bench-"));
  const config = path.join(dir, "hub.toml");
  fs.writeFileSync(config, `listen = "127.0.0.1:${port}"\npublic_url = "http://127.0.0.1:${port}"\nadmin_listen = "127.0.0.1:${port + 1}"\ndata = "${dir}"\ndatabase = "sqlite"\n`);
  const claims = path.join(dir, "claims.csv");
  if (places > 0) {
    register(config, dir, places);
    fs.writeFileSync(claims, run(kulkul, ["enrol", "--all", "--config", config]));
  } else {
    run(kulkul, ["migrate", "--config", config]);
  }
  const log = fs.openSync(path.join(dir, "hub.log"), "w");
  const child = begin(kulkul, ["hub", "--config", config], { stdio: ["ignore", log, log] });
  const url = `http://127.0.0.1:${port}`;
  await until("the hub answers", 60, async () => (await fetch(url)).ok);
  const close = async () => {
    child.kill("SIGTERM");
    await new Promise((done) => child.once("exit", done));
    fs.rmSync(dir, { recursive: true, force: true });
  };
  return { url, pid: child.pid, claims, dir, config, admin: port + 1, close };
}

function fleet(at, gateways, seconds) {
  const json = path.join(at.dir, "fleet.json");
  const args = ["fleet", "--hub", at.url, "--gateways", String(gateways), "--claims", at.claims, "--for", String(seconds), "--pid", String(at.pid), "--json", json];
  const done = spawnSync(kulkul, args, { encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] });
  if (!fs.existsSync(json)) throw new Error(`kulkul fleet: ${done.stderr.trim()}`);
  return JSON.parse(fs.readFileSync(json, "utf8"));
}

/** Programs that a part started; what it leaves running when it fails is ended with it. */
const running = new Set();

function begin(program, args, options) {
  const child = spawn(program, args, options ?? {});
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

const parts = {
  async web() {
    const began = performance.now();
    const log = [];
    const demo = begin(kulkul, ["demo", "--listen", "127.0.0.1:18080", "--link", "127.0.0.1:18443", "--days", "0"]);
    demo.stdout.on("data", (part) => log.push(part));
    const url = "http://127.0.0.1:18080";
    await until("the demo answers", 60, async () => (await fetch(url)).ok);
    const start = (performance.now() - began) / 1000;
    row("kulkul demo: until it answers", `${start.toFixed(2)} s`, "under 15 s", start < 15);
    await wait(20_000);

    const page = run("curl", ["-s", "--compressed", url + "/"]);
    const assets = [...new Set([...page.matchAll(/(?:href|src|data-script)="(\/[^"]+\.(?:css|js|svg|png|woff2))"/g)].map((m) => m[1]))];
    // The map's part is loaded by the page's script, so it is counted by its name in the page.
    for (const m of page.matchAll(/"(\/[^"]+\.js)"/g)) if (!assets.includes(m[1])) assets.push(m[1]);
    const bytes = ["/", ...assets].map((p) => Number(run("curl", ["-s", "-H", "Accept-Encoding: br, gzip", "-o", "/dev/null", "-w", "%{size_download}", url + p])));
    const total = bytes.reduce((a, b) => a + b, 0) / 1000;
    row("/ without cache, compressed, all in all", `${total.toFixed(1)} kB`, "at most 150 kB", total <= 150, `${assets.length} files beside the page`);
    const first = median(Array.from({ length: 15 }, () => Number(run("curl", ["-s", "-H", "Accept-Encoding: br", "-H", "Cache-Control: no-cache", "-o", "/dev/null", "-w", "%{time_starttransfer}", url + "/"])) * 1000));
    row("/ first byte, median of 15", `${first.toFixed(1)} ms`, "under 20 ms", first < 20);
    for (const target of ["/", "/api/v1/sites?limit=1000"]) {
      const rates = [];
      const cpu = [];
      let bad = "";
      for (let i = 0; i < 3; i += 1) {
        const before = cpuMs(demo.pid);
        const r = wrk(url + target, 16, 4, ["Accept-Encoding: br, gzip"]);
        rates.push(r.perSecond);
        cpu.push((cpuMs(demo.pid) - before) / (r.perSecond * 4));
        bad ||= r.bad;
      }
      const rate = median(rates);
      row(`${target} requests, median of 3`, `${Math.round(rate)}/s`, "at least 2,000/s", rate >= 2000 && !bad, `${(median(cpu) * 1000).toFixed(0)} us CPU each, gateways included ${bad}`);
    }
    demo.kill("SIGINT");
    await new Promise((done) => demo.once("exit", done));
  },

  async hub() {
    const at = await hub(987, 18180);
    const f = fleet(at, 987, 150);
    fs.writeFileSync(`${out}/hub-987.json`, JSON.stringify(f, null, 2));
    row("hub with 987 gateways: CPU", `${f.hub_cpu_percent.toFixed(1)} % of a core`, "at most 5 %", f.hub_cpu_percent <= 5, `${f.beats} beats in ${Math.round(f.seconds)} s`);
    row("hub with 987 gateways: memory", `${f.hub_rss_mib} MiB`, "at most 120 MB", f.hub_rss_mib <= 114);
    row("hub with 987 gateways: entries lost", `${f.entries_lost} of ${f.entries_sent}`, "none", f.entries_lost === 0, `p99 of a turn ${(f.p99_us / 1000).toFixed(1)} ms`);
    await at.close();
  },

  // Twenty thousand new places imported into a running hub: how long any write keeps the others waiting.
  async import() {
    const places = 20_000;
    const at = await hub(0, 18380);
    const before = cpuMs(at.pid);
    const began = performance.now();
    register(at.config, at.dir, places);
    const took = (performance.now() - began) / 1000;
    const of = await figures(at.admin);
    const [longest, sum, count] = ["write_longest_microseconds", "write_microseconds", "write_transactions"].map(of);
    row(`import of ${places} sites: longest write`, `${(longest / 1000).toFixed(1)} ms`, "at most 20 ms", longest <= 20_000, `${count} writes, ${(sum / count / 1000).toFixed(1)} ms each on the average, ${took.toFixed(1)} s in all, hub ${((cpuMs(at.pid) - before) / 1000).toFixed(1)} s of CPU`);
    await at.close();
  },

  async fleet() {
    for (const gateways of (process.env.FLEET ?? "20000").split(" ").map(Number)) {
      const at = await hub(gateways, 18280);
      const f = fleet(at, gateways, 180);
      const of = await figures(at.admin);
      const board = of("board_cpu_microseconds") / of("boards") / 1000;
      fs.writeFileSync(`${out}/fleet-${gateways}.json`, JSON.stringify({ ...f, board_cpu_ms: board, write_longest_us: of("write_longest_microseconds") }, null, 2));
      const held = f.entries_lost === 0 && f.gateways === gateways && f.failed_calls === 0;
      row(`fleet of ${gateways} gateways: entries lost`, `${f.entries_lost} of ${f.entries_sent}`, "none", f.entries_lost === 0 && f.gateways === gateways, `${f.failed_calls} calls repeated, p99 of a turn ${(f.p99_us / 1000).toFixed(1)} ms, turns late by at most ${f.latest_ms} ms`);
      row(`fleet of ${gateways} gateways: hub`, `${f.hub_cpu_percent?.toFixed(0)} % of a core, ${f.hub_rss_mib} MiB`, "-", null, `the fleet itself ${f.fleet_cpu_percent?.toFixed(0)} % of a core`);
      row(`fleet of ${gateways} gateways: a board built`, `${board.toFixed(2)} ms CPU`, "at most 5 ms", board <= 5, `${of("boards")} boards`);
      await at.close();
      if (!held) break;
    }
  },

  async portal() {
    run("scripts/try-gateway", ["up"]);
    const config = "/run/kulkul-try/gateway.toml";
    fs.writeFileSync(config, fs.readFileSync(config, "utf8").replace(/^hub_ca = .*\n/m, "").replace(/^claim = .*$/m, "alone = true"));
    const box = begin("scripts/try-gateway", ["box", kulkul, "gateway", "--config", config], { stdio: "ignore" });
    const phone = ["ip", "netns", "exec", "kulkul-try-phone"];
    await until("the portal answers", 30, async () => run(phone[0], [...phone.slice(1), "curl", "-s", "-m", "1", "-o", "/dev/null", "-w", "%{http_code}", "http://10.77.0.1/"]) === "200");
    const rates = [1, 2, 3].map(() => wrk("http://10.77.0.1/", 1, 4, [], phone));
    const rate = median(rates.map((r) => r.perSecond));
    row("portal page on one connection, median of 3", `${Math.round(rate)}/s`, "at least 3,000/s", rate >= 3000 && !rates.some((r) => r.bad));
    box.kill("SIGTERM");
    await new Promise((done) => box.once("exit", done));
    run("scripts/try-gateway", ["down"]);
  },

  async clicks() {
    const street = (only, env = {}) =>
      spawnSync("cargo", ["test", "--release", "--locked", "-p", "kulkul", "--test", "street_bench", "--", ...only, "--ignored", "--nocapture", "--test-threads=1"], { stdio: "inherit", env: { ...process.env, ...env } });
    const read = (name) => JSON.parse(fs.readFileSync(`${out}/${name}.json`, "utf8"));
    street([]);
    const clicks = read("gateway-clicks");
    row("click to packets, 1,000 online, median", `${(clicks.median_us / 1000).toFixed(1)} ms`, "at most 10 ms", clicks.median_us <= 10_000, `p95 ${(clicks.p95_us / 1000).toFixed(1)} ms of ${clicks.clicks}`);
    const memory = (which, c) =>
      row(`gateway's memory, 1,000 online, ${which}`, `${(c.rss_kib / 1024).toFixed(1)} MiB`, "at most 16 MB", c.rss_kib * 1024 <= 16e6, `${(c.rss_anon_kib / 1024).toFixed(1)} MiB of it its own, the rest pages of the program's file; peak ${(c.peak_kib / 1024).toFixed(1)} MiB; the resolver is a process of its own`);
    memory("whole program", clicks);
    // The build that a box gets: no hub, no pages, no database.
    const router = path.resolve("target/router/kulkul");
    run("cargo", ["build", "--profile", "router", "--locked", "-p", "kulkul", "--no-default-features", "--features", "gateway"], { stdio: "inherit" });
    const bytes = fs.statSync(router).size;
    row("router's build, size of the program", `${(bytes / 1e6).toFixed(2)} MB`, "at most 10 MB", bytes <= 10e6, "");
    street(["click_to_packets"], { KULKUL_GATEWAY: router });
    const small = read("gateway-clicks-router");
    memory("router's build", small);
    row("click to packets, 1,000 online, median, router's build", `${(small.median_us / 1000).toFixed(1)} ms`, "at most 10 ms", small.median_us <= 10_000, `p95 ${(small.p95_us / 1000).toFixed(1)} ms of ${small.clicks}`);
    const pps = read("gateway-pps");
    row("packets/s, 5,000 people against none, median of 5", pps.ratio.toFixed(3), "at least 0.9", pps.ratio >= 0.9, `${pps.with_people_pps} against ${pps.plain_pps}`);
    const storm = read("gateway-storm");
    row("login storm, 1,000 devices in 10 s, p99", `${(storm.p99_us / 1000).toFixed(1)} ms`, "under 250 ms", storm.p99_us < 250_000 && storm.online === storm.devices, `${storm.online} online, median ${(storm.median_us / 1000).toFixed(1)} ms, ${storm.cpu_us_each} us of CPU each`);
    for (const [which, five] of [["", read("gateway-five")], [", the line shared out", read("gateway-five-shared")]]) {
      row(`click to packets, 5,000 online${which}, median`, `${(five.median_us / 1000).toFixed(1)} ms`, "at most 5 ms", five.median_us <= 5_000, `p95 ${(five.p95_us / 1000).toFixed(1)} ms of ${five.clicks}; ${(five.rss_kib / 1024).toFixed(1)} MiB`);
      row(`reconcile after kill -9, 5,000 online${which}, median of 3`, `${five.reconcile_ms[1]} ms`, "under 300 ms", five.reconcile_ms[1] < 300 && / 0% packet loss/.test(five.pings), five.pings);
    }
    spawnSync("cargo", ["test", "--release", "--locked", "-p", "kulkul-gateway", "--test", "fair_share", "--", "--ignored", "--nocapture", "share_error"], { stdio: "inherit" });
    const fair = read("gateway-fair");
    row("share of two on a full line, 1 flow against 50, error", `${(fair.share_error * 100).toFixed(1)} %`, "under 5 %", fair.share_error < 0.05, `median of 5; one queue for all: ${(fair.share_error_of_one_queue * 100).toFixed(0)} %`);
    row("segments sent again on that line", `${fair.sent_again}`, "no more than with one queue", fair.sent_again <= fair.sent_again_of_one_queue, `one queue of the same length: ${fair.sent_again_of_one_queue}`);
    const batch = read("gateway-batch");
    row("a netlink batch of two elements, median", `${(batch.median_ns / 1000).toFixed(1)} us`, "-", null);
  },

  // Two million blocked names: the resolver beside dnsmasq, each on one core, asked by dnsperf on another.
  async names() {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), "kulkul-bench-"));
    const at = (name) => path.join(dir, name);
    const words = ["ads", "track", "pixel", "click", "stat", "cdn", "banner", "metrics", "beacon", "promo"];
    let seed = 12345;
    const draw = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0);
    const list = Array.from({ length: 2_000_000 }, (_, i) => `${words[draw() % 10]}${i.toString(36)}.${(draw() % 100_000).toString(36)}.example`);
    fs.writeFileSync(at("first.txt"), list.join("\n") + "\n");
    fs.writeFileSync(at("second.txt"), list.map((n, i) => (i === 1 ? `swapped.${n}` : n)).join("\n") + "\n");
    fs.writeFileSync(at("peer.conf"), list.map((n) => `address=/${n}/`).join("\n") + "\n");
    const good = Array.from({ length: 1_000 }, (_, i) => `host${i}.good${i % 97}.test`);
    fs.writeFileSync(at("hosts"), good.map((n, i) => `203.0.113.${(i % 250) + 1} ${n}`).join("\n") + "\n");
    const asked = (n, name) => fs.writeFileSync(at(name), Array.from({ length: n }, (_, i) => (name === "mix" && i % 10 === 3 ? list[(i * 19) % list.length] : good[(i * 7) % 1_000]) + " A").join("\n") + "\n");
    asked(20_000, "cached");
    asked(100_000, "mix");
    const settings = (set) => fs.writeFileSync(at("resolver.json"), JSON.stringify({ port: 15353, upstreams: ["127.0.0.1:15399"], filter: { lists: [{ key: "ads", path: at(set) }] }, socket: at("none.sock") }));
    const timed = (work) => {
      const began = performance.now();
      work();
      return (performance.now() - began) / 1000;
    };
    run(kulkul, ["gateway", "make-set", at("first.txt"), at("first.set")]);
    settings("first.set");
    const dnsmasq = ["-k", "-a", "127.0.0.1", "--bind-interfaces", "-h", "-R", "--local-ttl=3600", "-u", "root"];
    const upstream = begin("dnsmasq", [...dnsmasq, "-p", "15399", "-H", at("hosts"), "-C", "/dev/null"], { stdio: "ignore" });
    const ours = begin("taskset", ["-c", "0", kulkul, "gateway", "resolver", "--data", dir], { stdio: "ignore" });
    const peer = begin("taskset", ["-c", "0", "dnsmasq", ...dnsmasq, "-p", "15354", "-C", at("peer.conf"), "-c", "10000", "-S", "127.0.0.1#15399"], { stdio: "ignore" });
    const one = (port, name) => {
      fs.writeFileSync(at("one"), `${name} A\n`);
      const text = run("dnsperf", ["-s", "127.0.0.1", "-p", String(port), "-d", at("one"), "-n", "1", "-t", "1"]);
      return /Response codes:\s+(\w+)/.exec(text)?.[1];
    };
    for (const port of [15399, 15353, 15354]) await until(`port ${port} answers`, 120, async () => one(port, good[0]) === "NOERROR");
    const ask = (port, child, file) => {
      const before = cpuMs(child.pid);
      const text = run("taskset", ["-c", "1", "dnsperf", "-s", "127.0.0.1", "-p", String(port), "-d", at(file), "-l", "5", "-q", "200"]);
      const figure = (pattern) => Number(pattern.exec(text)[1]);
      const done = figure(/Queries completed:\s+(\d+)/);
      // Per second of the core that it ran on: others on this machine take nothing from that.
      return { perSecond: (done * 1000) / (cpuMs(child.pid) - before), wall: figure(/Queries per second:\s+([\d.]+)/), lost: figure(/Queries lost:\s+(\d+)/) };
    };
    for (const [file, share, words] of [["cached", 0.5, "from cache"], ["mix", 1, "a tenth blocked"]]) {
      const figures = { ours: [], peer: [] };
      for (let i = 0; i < 3; i += 1) {
        figures.ours.push(ask(15353, ours, file));
        figures.peer.push(ask(15354, peer, file));
      }
      const of = (who, key) => Math.round(median(figures[who].map((f) => f[key])));
      row(`DNS ${words}, 2,000,000 names blocked`, `${of("ours", "perSecond")}/s of a core`, `at least ${share} x dnsmasq's`, of("ours", "perSecond") >= share * of("peer", "perSecond"), `dnsmasq ${of("peer", "perSecond")}/s; by the wall clock ${of("ours", "wall")} and ${of("peer", "wall")}/s`);
    }
    const rss = rssMiB(ours.pid);
    row("resolver's memory with 2,000,000 names", `${rss.toFixed(1)} MiB`, "at most 24 MB", rss * 1.048576 <= 24, `dnsmasq ${rssMiB(peer.pid).toFixed(1)} MiB; the set's file ${(fs.statSync(at("first.set")).size / 1e6).toFixed(1)} MB`);
    const made = timed(() => run(kulkul, ["gateway", "make-set", at("second.txt"), at("second.set")]));
    const began = performance.now();
    settings("second.set");
    process.kill(ours.pid, "SIGHUP");
    // Answered from outside ("no such name") before, by the list afterwards.
    await until("the list is swapped", 30, async () => one(15353, `swapped.${list[1]}`) === "NOERROR");
    const swapped = (performance.now() - began) / 1000;
    const peak = Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${ours.pid}/status`, "utf8"))[1]) / 1024;
    row("a list of 2,000,000 names: text to answers", `${(made + swapped).toFixed(2)} s`, "under 3 s", made + swapped < 3, `made in ${made.toFixed(2)} s, swapped in ${swapped.toFixed(2)} s; the resolver's peak ${peak.toFixed(1)} MiB`);
    for (const child of [ours, peer, upstream]) child.kill("SIGTERM");
    fs.rmSync(dir, { recursive: true, force: true });
  },

  async peer() {
    const text = run("bench/opennds", ["5"]);
    const p = JSON.parse(text);
    fs.writeFileSync(`${out}/opennds.json`, text);
    row("openNDS: click to packets, nobody online", p.skipped ?? `${p.click_ms} ms`, "-", null, p.skipped ? "" : `${p.clicks} of 5 clicks came through`);
    row("openNDS: portal page", p.skipped ?? `${p.portal_per_s}/s`, "-", null);
  },
};

const asked = process.argv.slice(2);
for (const name of asked) {
  if (!parts[name]) {
    console.error(`no benchmark is called ${name}; there are ${Object.keys(parts).join(", ")}`);
    process.exit(2);
  }
}
for (const name of asked) {
  console.error(`=== ${name}`);
  try {
    await parts[name]();
  } catch (e) {
    row(name, "not measured", "-", false, String(e.message).split("\n")[0]);
  }
  for (const child of running) child.kill("SIGINT");
}
const sign = (met) => (met === null ? "" : met ? "met" : "NOT MET");
const wide = (key) => Math.max(...rows.map((r) => String(r[key]).length));
for (const r of rows) console.log(`${r.what.padEnd(wide("what"))}  ${r.measured.padEnd(wide("measured"))}  ${r.bar.padEnd(wide("bar"))}  ${sign(r.met).padEnd(7)}  ${r.more}`);
fs.writeFileSync(`${out}/results.json`, JSON.stringify({ at: new Date().toISOString(), machine: `${os.cpus().length} x ${os.cpus()[0].model}`, rows }, null, 2));
