package storm

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/coatcheck/session"
)

// http sends the request through a handler.
func (v *visit) http(ctx context.Context, node int) {
	v.at(node)
	v.serve(v.request(ctx, ""), v.handler(func(rw http.ResponseWriter, _ *http.Request) {
		v.act()
		v.done(rw)
	}))
}

// at has a node handle the request.
func (v *visit) at(node int) { v.node, v.m, v.g = node, v.w.nodes[node], v.w.guards[node] }

// request is what the client sends: a form, or nothing.
func (v *visit) request(ctx context.Context, form string) *http.Request {
	r := httptest.NewRequestWithContext(ctx, "POST", "https://app.example.com/", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if v.sent != nil {
		r.Header.Set(header, v.sent.text)
	}
	if v.device != nil {
		r.AddCookie(&http.Cookie{Name: deviceName, Value: v.device.text})
	}
	return r
}

// handler has the session looked at first.
func (v *visit) handler(next http.HandlerFunc) http.Handler {
	return v.m.HandlerFunc(func(rw http.ResponseWriter, r *http.Request, s *session.Session) {
		v.ctx, v.s = r.Context(), s
		v.look()
		next(rw, r)
	})
}

// done answers, which commits.
func (v *visit) done(rw http.ResponseWriter) {
	v.answer = v.commit(func() error {
		_, err := rw.Write([]byte("done"))
		return err
	})
}

// serve sends the request, and returns the status of the response.
func (v *visit) serve(r *http.Request, h http.Handler) int {
	v.answer = errors.New("not handled")
	out := httptest.NewRecorder()
	h.ServeHTTP(out, r)
	if (v.answer == nil) != (out.Code == http.StatusOK) {
		v.w.fault("%v was answered %d although the commit said %v", v, out.Code, v.answer)
	}
	if text, ok := out.Header()[header]; ok {
		v.receive(text[0])
	}
	v.keepDevice(out.Result().Cookies())
	v.over("node", out.Code)
	return out.Code
}

// open does the request without HTTP.
func (v *visit) open(ctx context.Context, node int) {
	if v.sent != nil {
		v.text = v.sent.text
	}
	v.at(node)
	v.job = true
	s, err := v.m.Open(ctx, v.text)
	if v.answer = err; err != nil {
		v.over("open at node", err)
		return
	}
	v.ctx, v.s = ctx, s
	v.look()
	v.act()
	v.answer = v.commit(func() error { return s.Save(ctx) })
	v.over("open at node", v.answer)
}

func (v *visit) over(how string, answer any) {
	v.end = v.w.next()
	for _, f := range v.pending {
		f.to = v.end
	}
	v.w.mu.Lock()
	v.w.visits = append(v.w.visits, v)
	v.w.mu.Unlock()
	v.w.log("%v of %s with %v, %s %d: %s: %v", v, v.client.name, v.sent, how, v.node, strings.Join(v.did, ", "), answer)
}

// receive is what the client does with the ticket in a response.
func (v *visit) receive(text string) {
	c := v.client
	if text == "" {
		if !v.leaves {
			v.w.fault("%v: the response deletes the ticket although the request ended no session", v)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.jar == v.sent {
			c.jar = nil
		}
		return
	}
	t := &ticket{text: text}
	v.text = text
	if v.answer == nil {
		t.life = v.life()
	} else if !v.left && !v.signed {
		t.life = v.loaded
	}
	v.w.mu.Lock()
	t.no = len(v.w.tickets) + 1
	v.w.tickets = append(v.w.tickets, t)
	v.w.mu.Unlock()
	v.did = append(v.did, "gets "+t.String()+" of "+t.life)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.jar, c.had = t, append(c.had, t)
}
