package experiment

// All are the experiments, in the order of the page.
var All = []Experiment{
	{
		Name: "clicks", Title: "Forty clicks at once", Button: "Click forty times",
		Question: "Forty requests of one browser add 1 to the same counter. All of them have read the session before " +
			"the first one writes it.",
		Promise: "No write is lost.", run: fortyClicks,
	},
	{
		Name: "sign-out", Title: "A slow request while you sign out", Button: "Sign out in the middle",
		Question: "A page takes long. While it is under way, the same browser signs out. Then the page is done, and " +
			"saves what it wrote into the session.",
		Promise: "Logout is final.", run: signOutInTheMiddle,
	},
	{
		Name: "outage", Title: "The store goes off and on again", Button: "Switch the store off",
		Question: "The store does not answer for a moment, and is back before the last of three requests. Only this " +
			"experiment loses its store; the shop goes on.",
		Promise: "An outage logs nobody out.", run: outage,
	},
	{
		Name: "copied-ticket", Title: "A ticket that was copied", Button: "Copy the ticket",
		Question: "A thief copies the cookie. Then the session gets a new id, as it does every 15 minutes, with " +
			"other requests of the browser under way. Two minutes later the thief uses the copy.",
		Promise: "A renewal logs nobody out, and an old ticket opens nothing.", run: copiedTicket,
	},
	{
		Name: "stolen-cookies", Title: "All cookies are stolen", Button: "Steal the cookies",
		Question: "Malware sends all cookies of Ada's browser to a thief, at once. The browser is one that binds " +
			"sessions to a key of its device, such as Chrome on Windows and macOS.",
		Promise: "Stolen cookies of a bound session open nothing for long.", run: stolenCookies,
	},
	{
		Name: "deploy", Title: "A release that cannot read an old value", Button: "Deploy the release",
		Question: "The new release has another type for the cart, and meets a session of the old one. Then it is " +
			"rolled back.",
		Promise: "A deploy logs nobody out.", run: newRelease,
	},
	{
		Name: "devices", Title: "Who is signed in where", Button: "List the devices",
		Question: "Ada signs in on three devices. From the computer she looks where she is signed in, and ends the " +
			"session on her phone.",
		Promise: "Every session of a user can be listed and ended.", run: threeDevices,
	},
}
