// hostile.mjs - what strangers say is text: label, EHLO, header, report about TLS; also in the file, which has no policy of the
// site's around it.
import { fileURLToPath } from "node:url";
import { writeFileSync } from "node:fs";
import { until, visitor } from "./browser.mjs";
import { SITE, atSender, outpost, pathOf, shots } from "./lab.mjs";
import { is, none, ok } from "./tap.mjs";

const SEEN = ["ehlo", "organization", "result", "mx"]; // of what hostile.py says, what a report shows
const LABEL = "label<script>alert('label')</script><img src=x onerror=alert('label')><b id=evil-label>";

// The path of a run to which all was said.
export async function said() {
	const enrolled = await outpost("enrol", "--set", "dual,tlsrpt-dane", "--label", LABEL, "--json");
	const { token } = JSON.parse(enrolled.out);
	const told = await atSender("env", "-u", "LD_LIBRARY_PATH", "python3", fileURLToPath(new URL("hostile.py", import.meta.url)), token);
	ok(told.code === 0, "a sender with markup in all that it says is heard", told.out + told.err);
	return pathOf(token);
}

async function harmless(page, what, names) {
	await page.evaluate(() => { for (const d of document.querySelectorAll("details")) d.open = true; });
	const text = await page.locator("body").innerText();
	for (const name of names)
		ok(text.includes(`${name}<script>alert('${name}')</script>`), `${what}: ${name} stands there as it was said`, text);
	is(await page.locator("[id^=evil], img, body script").count(), 0, `${what}: none of it became an element`);
}

export async function shown(path) {
	const { context, page, faults } = await visitor();
	await until(async () => {
		await page.goto(SITE + path);
		return (await page.content()).includes("organization&lt;script") && (await page.content()).includes("ehlo&lt;script");
	});
	await harmless(page, "the page of the run", SEEN);
	const file = await page.evaluate(async (address) => (await fetch(address)).text(), `${path}/report.html`);
	writeFileSync(`${shots}/hostile-report.html`, file);
	none(faults, "none of it ran on the site");
	await context.close();

	const reader = await visitor({ origin: "null" });
	await reader.page.goto(`file://${shots}/hostile-report.html`);
	await harmless(reader.page, "the report as a file", [...SEEN, "label"]);
	none(reader.faults, "none of it ran in the file, and it loads nothing");
	await reader.context.close();
}
