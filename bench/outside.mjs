// The outside world of a benchmark: answers every request with a short page.
import http from "node:http";
const [, , address, port] = process.argv;
http.createServer((_, answer) => answer.end("outside\n")).listen(Number(port), address);
