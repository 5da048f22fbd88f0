// live.mjs - the page of a run while mail arrives, and when all is said.
import { until } from "./browser.mjs";
import { is, none, ok } from "./tap.mjs";

const BADGE = "#report .badge:not(.wait):not(.sofar)";

// Fills in without being loaded again; what the reader has opened and where they are stays.
export async function fillsIn({ page, faults }) {
	await page.evaluate(() => { globalThis.same = globalThis.onlyNews = true; });
	const wait = (css) => until(async () => await page.locator(css).count() > 0, 120);
	ok(await wait(BADGE), "the first verdict comes as an event of the server");
	const group = page.locator(".group:not([open])").first();
	const id = await group.getAttribute("id");
	await page.locator(`#${id} > summary`).focus();
	await page.keyboard.press("Enter");
	ok(await page.locator(`#${id}`).evaluate((e) => e.open), "Enter unfolds a group");
	const made = await page.locator(".made").textContent();
	ok(await until(async () => await page.locator(".made").textContent() !== made, 120), "it goes on filling in");
	ok(await page.locator(`#${id}`).evaluate((e) => e.open && e.contains(document.activeElement)),
		"what was open stays open, and the keyboard stays where it was");
	await page.keyboard.press("Space");
	ok(await page.locator(`#${id}`).evaluate((e) => !e.open), "Space folds it again");
	ok(await page.evaluate(() => globalThis.same === true), "the page was not loaded again");
	await page.evaluate(() => { globalThis.onlyNews = false; });
	none(faults, "no fault while it fills in");
}

// Time alone makes the last verdicts final: the page looks every minute, who is in a hurry loads it again.
export async function becomesFinal({ page, faults }, what) {
	const final = async () => await page.locator(".state").textContent() === "All verdicts are final.";
	const again = async () => { await page.waitForTimeout(2000); await page.reload(); return final(); };
	const done = await until(async () => await final() || again(), 400);
	ok(done, `${what}: all verdicts become final`, await page.locator("main").innerText());
	none(faults, `${what}: no fault on the way`);
}

// Reload is all that there is.
export async function byReload({ page, faults }) {
	const seen = async (done) => until(async () => { await page.reload(); return done(); }, 400);
	ok(await seen(async () => await page.locator(BADGE).count() > 0), "after a reload there are verdicts");
	const group = page.locator(".group").first();
	const open = await group.evaluate((e) => e.open);
	await group.locator("> summary").click();
	is(await group.evaluate((e) => e.open), !open, "groups unfold without script");
	ok(await seen(async () => await page.locator(".state").textContent() === "All verdicts are final."), "and at last the final ones");
	none(faults, "no fault without script");
}

// A finished report answers for itself by keyboard: the first test of a group, and its evidence.
export async function readByKeyboard(page) {
	const summary = page.locator(".group > summary").first();
	if (!await summary.locator("..").evaluate((e) => e.open)) {
		await summary.focus();
		await page.keyboard.press("Enter");
	}
	const test = page.locator(".group[open] .test > summary").first();
	await test.focus();
	await page.keyboard.press("Enter");
	const evidence = page.locator(".test[open] .timeline > summary").first();
	await evidence.focus();
	await page.keyboard.press("Enter");
	ok(await page.locator(".timeline[open] td.what").first().isVisible(), "group, test and evidence unfold by keyboard");
}
