// browser.mjs - Chromium, and what is held against every page that it opens: nothing from elsewhere, no error
// on the console, no breach of the Content-Security-Policy, no dialog.
import { createRequire } from "node:module";
import { SITE } from "./lab.mjs";

const require = createRequire(`${process.env.WEB_MODULES}/`);
const { chromium } = require("playwright-core");

let browser;

export async function launch() {
	browser = await chromium.launch({ executablePath: process.env.WEB_CHROMIUM, timeout: 120000 });
	return browser.version();
}

export async function close() {
	await browser?.close();
}

// A visitor of their own, without anything from earlier: { page, faults, expected, context }.  faults grows by what must not
// happen; an address in expected may answer with an error.
export async function visitor({ width = 1280, scheme = "light", script = true, origin = SITE } = {}) {
	const context = await browser.newContext({
		viewport: { width, height: width < 600 ? 740 : 900 }, colorScheme: scheme, javaScriptEnabled: script,
		permissions: script ? ["clipboard-read", "clipboard-write"] : [],
	});
	context.setDefaultTimeout(60000);
	context.setDefaultNavigationTimeout(60000);
	const faults = [], expected = new Set();

	context.on("request", (request) => {
		if (new URL(request.url()).origin !== origin) faults.push(`asks ${request.url()}`);
	});
	context.on("console", (message) => {
		const at = message.location().url;
		if (message.type() !== "error" || message.text().startsWith("Failed to load resource") && expected.has(at)) return;
		faults.push(`console: ${message.text()} (${at})`);
	});
	context.on("weberror", (error) => faults.push(`script: ${error.error().message}`));
	context.on("dialog", (dialog) => {
		faults.push(`a dialog opens: ${dialog.message()}`);
		dialog.dismiss();
	});
	const page = await context.newPage();
	return { context, page, faults, expected };
}

// Waits until what() is true; what it was at last.
export async function until(what, seconds = 60) {
	const end = performance.now() + seconds * 1000;
	for (;;) {
		const value = await what();
		if (value || performance.now() > end) return value;
		await new Promise((resolve) => setTimeout(resolve, 250));
	}
}
