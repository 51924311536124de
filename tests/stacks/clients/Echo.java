import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.concurrent.TimeUnit;

/** Echo.java URL BYTES: sends nothing before the 100; prints status and length of the response. */
public class Echo {
    public static void main(String[] args) {
        var request = HttpRequest.newBuilder(URI.create(args[0]))
                .POST(BodyPublishers.ofByteArray(new byte[Integer.parseInt(args[1])]))
                .expectContinue(true)
                .build();
        try {
            var response = HttpClient.newHttpClient()
                    .sendAsync(request, BodyHandlers.ofByteArray())
                    .get(10, TimeUnit.SECONDS);
            System.out.println(response.statusCode() + " " + response.body().length);
        } catch (Exception exception) {
            System.out.println(exception);
        }
        System.exit(0);
    }
}
