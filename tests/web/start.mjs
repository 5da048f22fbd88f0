// start.mjs - from the start page to the addresses, as somebody with a mouse, and what stands on the page as it is written.
import { until, visitor } from "./browser.mjs";
import { SITE, atSender } from "./lab.mjs";
import { is, none, ok } from "./tap.mjs";

// Chooses a set and asks for the addresses: on the page of the run then.
export async function begin(page, set) {
	await page.goto(`${SITE}/`);
	const form = page.locator("form[action='/run']");
	await form.locator(`input[value='${set}']`).check();
	await form.getByRole("button", { name: "Show me the addresses" }).click();
	await page.waitForURL(/\/run\/[a-z2-7]{26}$/);
}

async function copied(page, label) {
	const block = page.locator(".copy", { has: page.locator(`pre[aria-label='${label}']`) });
	await block.getByRole("button").click();
	const said = await until(async () => await block.getByRole("button").textContent() === "Copied", 10);
	const text = await page.evaluate(() => navigator.clipboard.readText());
	ok(said && text === await block.locator("pre").textContent(), `"Copy" copies ${label}`, text);
	return text;
}

async function checkMailto(page) {
	const link = page.getByRole("link", { name: "Write message 1" });
	const url = new URL(await link.getAttribute("href"));
	const to = decodeURIComponent(url.pathname).split(",").sort();
	const shown = (await page.locator("pre[aria-label='the addresses of message 1']").textContent()).split(",").map((s) => s.trim());
	is(url.protocol, "mailto:", "a mailto link");
	is(to.join(" "), shown.sort().join(" "), "it has the addresses of its message, all of them");
	ok(url.searchParams.get("subject") && url.searchParams.get("body"), "and a subject and a text");
}

// A run with script; its addresses are in use when the shell loop, run as it is written, has ended: { loop, ... }.
export async function withScript() {
	const person = await visitor();
	const { page } = person;
	// The page looks every minute as well: not while onlyNews is set.
	await page.addInitScript(() => {
		const real = globalThis.setInterval;
		globalThis.setInterval = (run, ms) => real(() => { if (!globalThis.onlyNews) run(); }, ms);
	});
	await begin(page, "quick");
	await checkMailto(page);
	is(await copied(page, "the address of this page"), page.url(), "that of this page is its address");
	const addresses = await copied(page, "the addresses of message 1");
	await page.getByText("All of them from a shell").click();
	const text = await copied(page, "the shell loop");
	ok(addresses.split(",").every((address) => text.includes(address.trim())), "the loop has the addresses of the first message");
	return { ...person, loop: () => atSender("sh", "-c", text) };
}

// A run without: what swaks is to be called with is read from the page.
export async function withoutScript() {
	const person = await visitor({ script: false });
	const { page } = person;
	await begin(page, "quick");
	is(await page.locator("[data-copy]:visible").count(), 0, "without script no button is shown that does nothing");
	ok((await page.content()).includes("http-equiv=\"refresh\""), "and the page asks to be loaded again");
	const lines = await page.locator("pre[aria-label^='the swaks line']").allTextContents();
	ok(lines.length > 0, "the swaks lines stand there");
	const swaks = async () => {
		for (const line of lines) {
			const sent = await atSender("sh", "-c", line.replace("YOUR-SERVER", "127.0.0.1").replace("YOU@YOUR-DOMAIN", "\"$FROM\""));
			if (sent.code !== 0) return sent;
		}
		return { code: 0, out: "", err: "" };
	};
	return { ...person, swaks };
}

// The form by keyboard only.
export async function byKeyboard() {
	const { context, page, faults } = await visitor();
	await page.goto(`${SITE}/`);
	await page.keyboard.press("Tab");
	ok(await page.locator(".skip").evaluate((e) => e === document.activeElement && e.getBoundingClientRect().left >= 0),
		"the first Tab shows the way past the navigation");
	await page.keyboard.press("Enter");
	const form = page.locator("form[action='/run']");
	const at = (css) => form.locator(css).evaluate((e) => e === document.activeElement);
	for (let i = 0; i < 30 && !await at("input[value='standard']"); i++) await page.keyboard.press("Tab");
	await page.keyboard.press("ArrowUp");
	ok(await form.locator("input[value='quick']").isChecked(), "an arrow chooses another set");
	for (let i = 0; i < 30 && !await at("button"); i++) await page.keyboard.press("Tab");
	await page.keyboard.press("Enter");
	await page.waitForURL(/\/run\//);
	none(faults, "the form by keyboard leads to the page of a run");
	await context.close();
}
