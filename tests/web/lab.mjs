// lab.mjs - the world around the browser: the site's files, commands, and who sends mail.
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

export const SITE = "https://outpost.example";
export const shots = process.env.WEB_SHOTS;
const { LAB, LAB_HOME, OUTPOST, OUTPOST_SITE } = process.env;

// { code, out, err } of a command; what it reads is text.
export function run(program, args, { text = "", env = {}, seconds = 180 } = {}) {
	return new Promise((resolve) => {
		const child = execFile(program, args, { env: { ...process.env, ...env }, timeout: seconds * 1000, maxBuffer: 1 << 26 },
			(error, out, err) => resolve({ code: error ? error.code ?? 1 : 0, out, err }));
		child.stdin.on("error", () => {}); // it need not read
		child.stdin.end(text);
	});
}
export const outpost = (...args) => run(OUTPOST, args);
export const lab = (verb, ...args) => run(`${LAB_HOME}/lab`, [verb, "--name", LAB, ...args]);
export const inSite = (...command) => lab("shell", "site", "--", ...command);

// A command where the sender lives: sendmail and swaks are its own, and a quarter of an hour is a second.
export const atSender = (...command) =>
	lab("shell", "sender", "--", "env", `PATH=${process.env.WEB_TOOLS}:${process.env.PATH}`, ...command);

// The lines of one of the site's journals; none if it was not begun yet.
export function journal(name) {
	const file = `${OUTPOST_SITE}/state/${name}.jsonl`;
	const text = existsSync(file) ? readFileSync(file, "utf8") : "";
	return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}
export const runs = () => journal("runs");
export const pathOf = (token) => `/run/${runs().find((run) => run.token === token).run}`;
