// release.mjs - "End this run": what opens the page ends nothing, who unfolds the form and presses its button does, once and for
// all who have the page; by keyboard, and without script.
import { until, visitor } from "./browser.mjs";
import { TWO, judge } from "./judge.mjs";
import { SITE, journal, outpost, pathOf, run } from "./lab.mjs";
import { is, none, ok } from "./tap.mjs";

const BUTTON = "#release button";
const known = (token) => journal("released").filter((line) => line.token === token).length;
const entry = async (token, test) => JSON.parse((await outpost("report", token, "--json")).out).tests.find((t) => t.test === test);

// Two runs: a sender of its own, which gives nothing up, has mail of the first in its queue, as one of the tests keeps it waiting.
export async function begun() {
	const { LAB, LAB_HOME } = process.env;
	const sent = await run(`${LAB_HOME}/lab`, ["send", "--name", LAB, "--sender", "postfix-plain", "--resolver", "unbound-permissive",
		"--set", "dual,retry-horizon,dnssec-bogus-ds"], { env: { QUEUE_LIFETIME: "1d" } });
	ok(sent.code === 0, "mail of a run that will be ended is sent", sent.err);
	const other = JSON.parse((await outpost("enrol", "--set", "dual", "--json")).out).token;
	return [sent.out.trim(), other];
}

async function state(page) {
	return (await page.locator(".state").textContent()).startsWith("Released:");
}

// Looked at in every way that is not the button.
async function looked({ page, expected }, path, token) {
	expected.add(`${SITE}${path}/release`);
	const response = await page.goto(`${SITE}${path}/release`);
	is(response.status(), 405, "the address of the form cannot be opened");
	is(response.headers().allow, "POST", "only the form leads there");
	for (let i = 0; i < 2; i++) await page.goto(SITE + path);
	is(await page.locator(BUTTON).isVisible(), false, "the button is folded away");
	is(known(token), 0, "loading the page ends nothing");
}

async function byKeyboard(page, token) {
	const at = (css) => page.locator(css).evaluate((e) => e === document.activeElement);
	await page.locator("#with").focus();
	for (let i = 0; i < 5 && !await at("#release > summary"); i++) await page.keyboard.press("Tab");
	await page.keyboard.press("Enter");
	ok(await page.locator(BUTTON).isVisible(), "Enter unfolds what ending the run means");
	const text = await page.locator("#release").innerText();
	ok(text.includes("this cannot be taken back"), "it says that there is no way back", text);
	ok(text.includes("dnssec-bogus-ds (the DS record of its zone does not match)") && !text.includes("dns-ipv6-only"),
		"and of which tests of this run the mail may stay", text);
	is(known(token), 0, "unfolding it ends nothing");
	for (let i = 0; i < 5 && !await at(BUTTON); i++) await page.keyboard.press("Tab");
	await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
}

async function ended(page, what) {
	ok(await state(page), `${what}: the page says so`, await page.locator("main").innerText());
	is(await page.locator("#release, #send").count(), 0, `${what}: there is nothing to send any more, and nothing to end`);
}

export async function released([token, other]) {
	const path = pathOf(token);
	const waits = async () => (await entry(token, "retry-horizon")).attempts.length > 0;
	ok(await until(waits, 60), "mail of the run waits in the queue");
	const before = await entry(token, "dual");

	const mouse = await visitor();
	await mouse.page.goto(SITE + path);
	await mouse.page.locator("#release > summary").click();
	const keys = await visitor();
	await looked(keys, path, token);
	await judge("run-release", path, { open: true, views: TWO });
	await byKeyboard(keys.page, token);
	is(new URL(keys.page.url()).pathname, path, "the button leads back to the page");
	await ended(keys.page, "by keyboard");
	is(known(token), 1, "it stands in the journal");
	const { t, by } = journal("released").find((line) => line.token === token);
	is(by, "page", "as done on the page");
	const horizon = await entry(token, "retry-horizon");
	ok(horizon.verdict === "inconclusive" && horizon.final && horizon.reason.startsWith("released before this was decided: "),
		"what was open is inconclusive, and says why", `${horizon.verdict}: ${horizon.reason}`);
	is((await entry(token, "dual")).verdict, before.verdict, "what was decided is as it was");

	// Whose page is older still has the button.
	await Promise.all([mouse.page.waitForNavigation(), mouse.page.locator(BUTTON).click()]);
	await ended(mouse.page, "once more");
	const lines = journal("released").filter((line) => line.token === token);
	ok(lines.length === 1 && lines[0].t === t, "the second time changes nothing", JSON.stringify(lines));
	await judge("run-released", path, { views: TWO });
	none([...mouse.faults, ...keys.faults], "no fault on the way");
	await mouse.context.close();
	await keys.context.close();

	const plain = await visitor({ script: false });
	await plain.page.goto(SITE + pathOf(other));
	await plain.page.locator("#release > summary").click();
	await Promise.all([plain.page.waitForNavigation(), plain.page.locator(BUTTON).click()]);
	await ended(plain.page, "without script");
	is(known(other), 1, "it stands in the journal as well");
	none(plain.faults, "no fault without script");
	await plain.context.close();
}
