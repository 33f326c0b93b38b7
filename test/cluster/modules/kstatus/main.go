// Reads a stream of objects as JSON on stdin and prints what kstatus says of each, one line per object: status, message.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

func main() {
	for objects := json.NewDecoder(os.Stdin); ; {
		var text json.RawMessage
		err := objects.Decode(&text)
		if errors.Is(err, io.EOF) {
			return
		}
		var object unstructured.Unstructured
		var result *status.Result
		if err == nil {
			err = object.UnmarshalJSON(text) // Not encoding/json: it would read generations as floats.
		}
		if err == nil {
			result, err = status.Compute(&object)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "kstatus:", err)
			os.Exit(1)
		}
		fmt.Println(result.Status, strings.ReplaceAll(result.Message, "\n", " "))
	}
}
