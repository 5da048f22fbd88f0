// judge.mjs - one page, wide and narrow, light and dark: axe-core finds nothing, nothing is wider than the screen, nothing comes
// from elsewhere; a picture of each is kept.  What axe-core looks at hangs on the width (what is there) and on the colours, which
// are the same for all pages: of four views it looks at one of each, at the other two on the next page.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { until, visitor } from "./browser.mjs";
import { SITE, shots } from "./lab.mjs";
import { none, ok } from "./tap.mjs";

const require = createRequire(`${process.env.WEB_MODULES}/`);
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const VIEWS = [[1280, "light"], [1280, "dark"], [360, "light"], [360, "dark"]];
export const TWO = [[1280, "light"], [360, "dark"]];
let pages = 0;

// Of these views which axe-core looks at: two are all, four are half.
const looksAt = (views, nth) => views.filter((view, i) => views.length < 4 || (i === 0 || i === 3) === (nth % 2 === 0));

// Violations of the rules of WCAG 2.2 A and AA and of good practice, a line each.  What is folded away is nothing that axe-core
// would look at, but it takes its time to see that: it is not there meanwhile.
export async function accessible(page) {
	if (!await page.evaluate(() => "axe" in globalThis)) await page.evaluate(axe);
	const found = await page.evaluate(async () => {
		const folded = [...document.querySelectorAll("details:not([open])")].map((d) => {
			const rest = document.createDocumentFragment();
			rest.append(...[...d.childNodes].filter((node) => node.nodeName !== "SUMMARY"));
			return [d, rest];
		});
		const result = await globalThis.axe.run(document, { preload: false, resultTypes: ["violations"] });
		for (const [d, rest] of folded) d.append(rest);
		return result;
	});
	return found.violations.flatMap((rule) => rule.nodes.map((node) =>
		`axe ${rule.id}: ${rule.help}: ${node.html.slice(0, 200)} ${node.failureSummary ?? ""}`.replaceAll("\n", " ")));
}

// What sticks out of the screen, if anything can be scrolled sideways.
export async function narrow(page) {
	return page.evaluate(() => {
		const width = document.documentElement.clientWidth;
		if (document.documentElement.scrollWidth <= width) return [];
		const out = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > width + 1);
		return [`${document.documentElement.scrollWidth} px in ${width} px: ` +
			out.slice(0, 3).map((e) => e.outerHTML.slice(0, 120)).join(" ... ")];
	});
}

// All that is folded; of the tests of a report the first of each group, as the others are made alike.
const unfold = (page) => page.evaluate(() => {
	for (const d of document.querySelectorAll("details"))
		d.open = !d.closest(".test") || d.closest(".test").matches(".group > summary + .test");
});
const TALLEST = 8000; // px of a picture

async function picture(page, name, width) {
	const height = await page.evaluate(() => document.documentElement.scrollHeight);
	await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true, clip: { x: 0, y: 0, width, height: Math.min(height, TALLEST) } });
}

// judge(NAME, PATH, { status, visit, also, open, views }): visit(page) goes there instead of an address; also(page) looks at more;
// open: with all that is folded open.
export async function judge(name, path, { status = 200, visit, also, open = false, views = VIEWS } = {}) {
	const { context, page, faults, expected } = await visitor();
	expected.add(SITE + path);
	const response = visit ? await visit(page) : await page.goto(SITE + path);
	if (response && response.status() !== status) faults.push(`status ${response.status()}, not ${status}`);
	if (await page.locator("h1").count() !== 1) faults.push("not one h1");
	await also?.(page);
	if (open) await unfold(page);
	const looked = looksAt(views, pages++);
	for (const view of views) {
		const [width, scheme] = view, all = looked.includes(view);
		await page.setViewportSize({ width, height: 900 });
		await page.emulateMedia({ colorScheme: scheme });
		faults.push(...all ? await accessible(page) : [], ...await narrow(page));
		await picture(page, `${name}-${width}-${scheme}`, width);
		none(faults.splice(0), `${name}, ${width} px, ${scheme}: ${all ? "accessible, " : ""}fits, nothing from elsewhere, no error`);
	}
	await context.close();
}

// What a visitor sees first, for README.md.
export async function portrait(name, path) {
	const { context, page } = await visitor({ width: 1000 });
	await page.goto(SITE + path);
	await page.screenshot({ path: `${shots}/${name}.png` });
	await context.close();
}

// Printed: what is only for the screen is gone, and what was folded is there.
export async function printed(name, path) {
	const { context, page } = await visitor();
	await page.goto(SITE + path);
	await page.emulateMedia({ media: "print" });
	ok(await page.locator("header.site").isHidden() && await page.locator("#send").isHidden(), `${name}, printed: no navigation, no addresses`);
	const groups = page.locator(".group");
	const shown = await until(async () => {
		for (let i = 0; i < await groups.count(); i++)
			if (!await groups.nth(i).locator(".test > summary").first().isVisible()) return false;
		return await groups.count() > 0;
	}, 5);
	ok(shown, `${name}, printed: all groups are unfolded`);
	await page.screenshot({ path: `${shots}/${name}-print.png`, fullPage: true });
	await page.pdf({ path: `${shots}/${name}.pdf`, format: "A4" });
	await context.close();
}
