package guard

import "strings"

// mark is a piece of a user agent and what it stands for. The first that is found counts, so what pretends to be
// something else stands before what it pretends to be.
type mark struct{ piece, name string }

var browsers = []mark{
	{"Edg", "Edge"}, // Edg/, EdgA/, EdgiOS/, Edge/
	{"OPR/", "Opera"},
	{"OPT/", "Opera"},
	{"Opera", "Opera"},
	{"Vivaldi/", "Vivaldi"},
	{"YaBrowser/", "Yandex Browser"},
	{"SamsungBrowser/", "Samsung Internet"},
	{"DuckDuckGo/", "DuckDuckGo"},
	{"Ddg/", "DuckDuckGo"},
	{"FxiOS/", "Firefox"},
	{"Focus/", "Firefox"},
	{"Firefox/", "Firefox"},
	{"CriOS/", "Chrome"},
	{"Chromium/", "Chromium"},
	{"Chrome/", "Chrome"},
	{"MSIE ", "Internet Explorer"},
	{"Trident/", "Internet Explorer"},
	{"Safari/", "Safari"}, // all of those above but Firefox say so too
	{"curl/", "curl"},
	{"Wget/", "Wget"},
	{"PostmanRuntime/", "Postman"},
	{"python-", "a Python program"},
	{"Python", "a Python program"},
	{"Go-http-client/", "a Go program"},
	{"okhttp/", "an Android app"},
	{"Dalvik/", "an Android app"},
	{"CFNetwork/", "an Apple app"},
}

var systems = []mark{
	{"iPhone", "iPhone"},
	{"iPad", "iPad"},
	{"iPod", "iPod"},
	{"Android", "Android"},
	{"CrOS", "ChromeOS"},
	{"Windows", "Windows"},
	{"Macintosh", "Mac"},
	{"Mac OS X", "Mac"},
	{"Darwin", ""}, // a Mac or an iPhone
	{"FreeBSD", "FreeBSD"},
	{"OpenBSD", "OpenBSD"},
	{"Linux", "Linux"},
	{"X11", "Linux"},
}

// UnknownDevice is what Device returns for a user agent that it does not know.
const UnknownDevice = "Unknown device"

// Device says in a few words what a User-Agent header reveals about a device, such as "Firefox on Linux". It helps
// people recognize their own devices, and proves nothing: any client can send any text. The result contains no part of
// that text.
func Device(userAgent string) string {
	return deviceName(find(browsers, userAgent), find(systems, userAgent))
}

// deviceName is Words.Device in English.
func deviceName(browser, system string) string {
	switch {
	case browser == "" && system == "":
		return UnknownDevice
	case system == "":
		return capital(browser)
	case browser == "":
		return system
	}
	return capital(browser) + " on " + system
}

func find(marks []mark, text string) string {
	for _, m := range marks {
		if strings.Contains(text, m.piece) {
			return m.name
		}
	}
	return ""
}

// capital makes "a Go program" begin a line. The names of programs stay as they are written.
func capital(name string) string {
	if rest, ok := strings.CutPrefix(name, "a"); ok && strings.Contains(name, " ") {
		return "A" + rest
	}
	return name
}

// The kinds of device that the page of Sessions tells apart. They come from the same text as Device, and prove as
// little.
const (
	KindComputer = "computer"
	KindPhone    = "phone"
	KindTablet   = "tablet"
	KindProgram  = "program"
	KindUnknown  = "unknown"
)

// kindOf says what kind of device sent a user agent.
func kindOf(userAgent string) string {
	switch system := find(systems, userAgent); system {
	case "iPhone", "iPod":
		return KindPhone
	case "iPad":
		return KindTablet
	case "Android":
		if strings.Contains(userAgent, "Mobile") || strings.Contains(userAgent, "Dalvik/") {
			return KindPhone
		}
		return KindTablet
	case "":
		if find(browsers, userAgent) == "" {
			return KindUnknown
		}
		return KindProgram
	default:
		return KindComputer
	}
}
