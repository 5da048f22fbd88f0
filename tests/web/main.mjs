// main.mjs - the whole way in a real browser, from the start page to finished reports; tests/lab/check-web.sh has made the world.
import { close, launch } from "./browser.mjs";
import * as hostile from "./hostile.mjs";
import * as invite from "./invite.mjs";
import { TWO, judge, portrait, printed } from "./judge.mjs";
import * as live from "./live.mjs";
import * as optout from "./optout.mjs";
import * as pages from "./pages.mjs";
import * as release from "./release.mjs";
import * as start from "./start.mjs";
import { SITE } from "./lab.mjs";
import { chapter, end, note, ok } from "./tap.mjs";

note(`Chromium ${await launch()}`);
const pathOf = (person) => new URL(person.page.url()).pathname;

// Runs at once, as each of them waits for its sender: by the shell loop, by swaks without script, by invitation; and two that
// will be ended.  What waits for nothing is looked at meanwhile.
const scripted = await chapter("from the start page to the addresses", start.withScript);
const bare = await chapter("the same without script", start.withoutScript);
if (!scripted || !bare) process.exit(end());
const swaks = bare.swaks();
const invited = chapter("the invitation", invite.invited);
const ending = chapter("runs that will be ended", release.begun);
await judge("run-new", pathOf(scripted));
await judge("run-new-open", pathOf(scripted), { open: true, views: [[1280, "light"], [360, "light"]] });

const loop = scripted.loop();
const filled = chapter("the page fills in", () => live.fillsIn(scripted));
await chapter("by keyboard", start.byKeyboard);
const strange = await chapter("a hostile sender", hostile.said);
await chapter("pages of no run", pages.plain);
ok((await loop).code === 0, "the shell loop, run as it stands there, sends all of it", (await loop).err);
ok((await swaks).code === 0, "so do the swaks lines", (await swaks).out + (await swaks).err);
await filled;
await judge("run-live", pathOf(scripted), { views: TWO });

await chapter("the catalogue", pages.catalogue);
if (strange) await chapter("what a hostile sender said", () => hostile.shown(strange));
const toEnd = await ending;
if (toEnd) await chapter("ending a run", () => release.released(toEnd));
await chapter("no more mail, by form", optout.byForm);
await chapter("errors", pages.errors);

const mail = await invited;
const answered = mail?.path && await invite.reportOf(mail.path);
ok(answered, "the mail has the address of the page");
await chapter("to the end", () => live.becomesFinal(scripted, "with script"));
if (answered) await chapter("to the end of the invitation", () => live.becomesFinal(answered, "by invitation"));
await chapter("without script", () => live.byReload(bare));

await chapter("the finished report", async () => {
	await live.readByKeyboard(scripted.page);
	await judge("report", pathOf(scripted));
	await judge("report-open", pathOf(scripted), { open: true });
	await judge("changes", `${pathOf(scripted)}/changes?with=${SITE}${strange ?? pathOf(bare)}`, { open: true });
	await printed("report", pathOf(scripted));
	await portrait("readme-start", "/");
	await portrait("readme-run", pathOf(scripted));
	if (answered) await judge("report-invited", mail.path, { views: [[1280, "light"], [360, "light"]] });
});
await chapter("no more mail, by the link", async () => {
	if (mail?.optout) {
		await judge("optout-link", mail.optout);
		await optout.byLink(mail.optout);
	} else ok(false, "the mail has a way out");
});
await close();
process.exitCode = end();
