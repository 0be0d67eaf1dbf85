package fibersession

import (
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v3"
)

// requestOf copies the head of the request. The session keeps it for longer than fasthttp does, whose memory has the
// next request by then.
func requestOf(c fiber.Ctx) *http.Request {
	ctx := c.RequestCtx()
	r := &http.Request{
		Method: string(ctx.Method()), URL: urlOf(string(ctx.RequestURI()), string(ctx.Path())),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: http.NoBody,
		Host: string(ctx.Host()), RemoteAddr: ctx.RemoteAddr().String(), RequestURI: string(ctx.RequestURI()),
		TLS: ctx.TLSConnectionState(),
	}
	for key, value := range ctx.Request.Header.All() {
		if name := http.CanonicalHeaderKey(string(key)); name != "Host" {
			r.Header[name] = append(r.Header[name], string(value))
		}
	}
	return r.WithContext(c.Context())
}

// urlOf takes the path that fasthttp understood for a target that net/url does not.
func urlOf(target, path string) *url.URL {
	if u, err := url.ParseRequestURI(target); err == nil {
		return u
	}
	return &url.URL{Path: path}
}
