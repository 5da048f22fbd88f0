// optout.mjs - no more mail: what opens links changes nothing, who presses the button does.
import { visitor } from "./browser.mjs";
import { SITE, journal } from "./lab.mjs";
import { is, none, ok } from "./tap.mjs";

const known = () => journal("optouts").length;

export async function byLink(path) {
	const { context, page, faults } = await visitor();
	const before = known();
	for (let i = 0; i < 3; i++) await page.goto(SITE + path);
	is(known(), before, "the link of the mail, opened three times, changes nothing");
	await page.getByRole("button", { name: "No more mail" }).click();
	ok((await page.locator("main").innerText()).includes("gets no mail from this site any more"), "its button does");
	is(known(), before + 1, "it stands in the journal");
	none(faults, "no fault on the way");
	await context.close();
}

// The second of the two that the site allows a network in a day is the last.
export async function byForm() {
	const { context, page, faults, expected } = await visitor();
	const before = known();
	const ask = async (address) => {
		await page.goto(`${SITE}/optout?address=${address}`);
		await page.getByLabel("Mail address").fill(address);
		await page.getByRole("button", { name: "No mail to this address" }).click();
	};
	await page.goto(`${SITE}/optout?address=nobody@one.example`);
	is(known(), before, "the page of the form changes nothing, whatever its address says");
	for (const address of ["nobody@one.example", "nobody@two.example"]) await ask(address);
	is(known(), before + 2, "what was typed into the form stands in the journal");
	expected.add(`${SITE}/optout`);
	await ask("nobody@three.example");
	is(await page.locator("h1").textContent(), "429 Too Many Requests", "beyond the limit of a day it says so");
	is(known(), before + 2, "and writes nothing");
	none(faults, "no fault on the way");
	await context.close();
}
