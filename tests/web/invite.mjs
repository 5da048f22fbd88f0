// invite.mjs - "mail me": an invitation goes through the site's Postfix to somebody else's, where a person answers it with
// Reply All; the address of the result page is in the mail.
import { readFileSync, readdirSync } from "node:fs";
import { until, visitor } from "./browser.mjs";
import { SITE, inSite, journal, lab } from "./lab.mjs";
import { is, none, ok } from "./tap.mjs";

const address = process.env.WEB_PERSON;

// What came to the person: the text of each message.
function mail() {
	const folder = `${process.env.WEB_MAILDIR}/cur`;
	return readdirSync(folder).sort().map((name) => readFileSync(`${folder}/${name}`, "latin1"));
}

// Returns when all messages of the invitation have been answered: { page: its path, optout: path }.
export async function invited() {
	const { context, page, faults } = await visitor();
	await page.goto(`${SITE}/`);
	const form = page.locator("form[action='/invite']");
	await form.getByLabel("Your mail address").fill(address);
	await form.locator("input[value='quick']").check();
	await form.getByRole("button", { name: "Mail me" }).click();
	is(await page.locator("h1").textContent(), "We write to you", "the form of \"mail me\"");
	none(faults, "no fault on the way");
	await context.close();
	const written = () => journal("invitations").length > 0;
	ok(await until(written, 20), "what was asked for stands in the journal");
	const sent = await inSite(process.env.OUTPOST, "invite");
	is(sent.code, 0, "outpost invite sends it", sent.err);
	const answered = await lab("person", address, "--reply-all", "--timeout", "120");
	ok(answered.code === 0 && answered.out.includes("@"), "it arrives, and is answered with Reply All", answered.err);
	const text = mail().join("\n");
	return { path: text.match(/https:\/\/outpost\.example(\/run\/[a-z2-7]{26})/)?.[1], optout: text.match(/https:\/\/outpost\.example(\/optout\/[\w-]+)/)?.[1] };
}

// From the mail to the finished report.
export async function reportOf(path) {
	const person = await visitor();
	await person.page.goto(SITE + path);
	return person;
}
